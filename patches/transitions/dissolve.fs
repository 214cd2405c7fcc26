/*{
  "ISFVSN": "2",
  "CREDIT": "perform",
  "DESCRIPTION": "One picture melts into the other.",
  "CATEGORIES": ["Transition"],
  "INPUTS": [
    {"NAME": "startImage", "LABEL": "The picture that leaves", "TYPE": "image"},
    {"NAME": "endImage", "LABEL": "The picture that comes", "TYPE": "image"},
    {"NAME": "progress", "LABEL": "How far the change has come", "TYPE": "float", "DEFAULT": 0.0, "MIN": 0.0, "MAX": 1.0},
    {"NAME": "ease", "LABEL": "From even (0) to slow at both ends (1)", "TYPE": "float", "DEFAULT": 1.0, "MIN": 0.0, "MAX": 1.0}
  ]
}*/

/* Idea   The dissolve: both pictures, weighed. The ends ease, so that it neither starts nor stops with a jolt.
   Inputs ease.
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
    float k = mix(progress, progress * progress * (3.0 - 2.0 * progress), ease);
    gl_FragColor = mixed(IMG_NORM_PIXEL(startImage, uv), IMG_NORM_PIXEL(endImage, uv), k);
}
