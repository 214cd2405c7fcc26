/*{
  "ISFVSN": "2",
  "CREDIT": "perform",
  "DESCRIPTION": "The brightest parts change first, the shadows last, as if exposed on paper.",
  "CATEGORIES": ["Transition", "Wipe"],
  "INPUTS": [
    {"NAME": "startImage", "LABEL": "The picture that leaves", "TYPE": "image"},
    {"NAME": "endImage", "LABEL": "The picture that comes", "TYPE": "image"},
    {"NAME": "progress", "LABEL": "How far the change has come", "TYPE": "float", "DEFAULT": 0.0, "MIN": 0.0, "MAX": 1.0},
    {"NAME": "softness", "LABEL": "Width of the edge", "TYPE": "float", "DEFAULT": 0.3, "MIN": 0.02, "MAX": 1.0},
    {"NAME": "darkFirst", "LABEL": "Shadows first", "TYPE": "bool", "DEFAULT": false},
    {"NAME": "blend", "LABEL": "Whose light decides: the leaving (0) or the coming picture (1)", "TYPE": "float", "DEFAULT": 0.35, "MIN": 0.0, "MAX": 1.0}
  ]
}*/

/* Idea   A wipe whose edge is the picture's own light.
   Inputs softness, darkFirst, blend.
   Cost   2 fetches a pixel.
   At progress 0 the picture is startImage and at 1 endImage, bit for bit. MIT licence. */

// Straight alpha: each picture weighs as much as it covers, so that what is clear lends no colour.
vec4 mixed(vec4 a, vec4 b, float k) {
    float alpha = mix(a.a, b.a, k);
    return vec4(mix(a.rgb * a.a, b.rgb * b.a, k) / max(alpha, 1e-5), alpha);
}

void main() {
    vec2 uv = isf_FragNormCoord;
    if (progress <= 0.0) {
        gl_FragColor = IMG_NORM_PIXEL(startImage, uv);
        return;
    }
    if (progress >= 1.0) {
        gl_FragColor = IMG_NORM_PIXEL(endImage, uv);
        return;
    }
    vec4 a = IMG_NORM_PIXEL(startImage, uv), b = IMG_NORM_PIXEL(endImage, uv);
    float light = dot(mix(a.rgb, b.rgb, blend), vec3(0.2126, 0.7152, 0.0722));
    float order = darkFirst ? light : 1.0 - light;
    float k = progress * (1.0 + softness);
    k = smoothstep(0.0, 1.0, clamp((k - order) / softness, 0.0, 1.0));
    gl_FragColor = mixed(a, b, k);
}
