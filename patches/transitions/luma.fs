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
  ],
  "PASSES": [
    {"TARGET": "range", "WIDTH": "1", "HEIGHT": "1"},
    {}
  ]
}*/

/* Idea   A wipe whose edge is the picture's own light, judged by how much light there is: a dark picture changes as evenly as a bright one.
   Inputs softness, darkFirst, blend.
   Cost   3 fetches a pixel, and 128 for the whole picture.
   At progress 0 the picture is startImage and at 1 endImage, bit for bit. MIT licence. */

// Straight alpha: each picture weighs as much as it covers, so that what is clear lends no colour.
vec4 mixed(vec4 a, vec4 b, float k) {
    float alpha = mix(a.a, b.a, k);
    return vec4(mix(a.rgb * a.a, b.rgb * b.a, k) / max(alpha, 1e-5), alpha);
}

// The light that decides, and how much of it is there: what is clear has no say.
vec2 lightOf(vec4 a, vec4 b) {
    vec4 c = mixed(a, b, blend);
    return vec2(dot(c.rgb, vec3(0.2126, 0.7152, 0.0722)), c.a);
}

void main() {
    vec2 uv = isf_FragNormCoord;
    if (PASSINDEX == 0) {                                                // mean and spread of the light, from 64 places
        vec3 sum = vec3(0.0);
        for (int j = 0; j < 8; j++) {
            for (int i = 0; i < 8; i++) {
                vec2 there = (vec2(float(i), float(j)) + 0.5) / 8.0;
                vec2 l = lightOf(IMG_NORM_PIXEL(startImage, there), IMG_NORM_PIXEL(endImage, there));
                sum += l.y * vec3(l.x, l.x * l.x, 1.0);
            }
        }
        vec2 m = sum.xy / max(sum.z, 1e-3);
        gl_FragColor = vec4(m.x, sqrt(max(m.y - m.x * m.x, 0.0016)), 0.0, 1.0);
        return;
    }
    if (progress <= 0.0) {
        gl_FragColor = IMG_NORM_PIXEL(startImage, uv);
        return;
    }
    if (progress >= 1.0) {
        gl_FragColor = IMG_NORM_PIXEL(endImage, uv);
        return;
    }
    vec4 a = IMG_NORM_PIXEL(startImage, uv), b = IMG_NORM_PIXEL(endImage, uv);
    vec2 usual = IMG_NORM_PIXEL(range, vec2(0.5)).xy;
    // How much of the picture is darker than this, near enough: so the change is spread evenly over the time.
    float x = (lightOf(a, b).x - usual.x) / usual.y;
    float light = 0.5 + 0.5 * x * inversesqrt(1.5 + x * x);
    float order = darkFirst ? light : 1.0 - light;
    float k = progress * (1.0 + softness);
    k = smoothstep(0.0, 1.0, clamp((k - order) / softness, 0.0, 1.0));
    gl_FragColor = mixed(a, b, k);
}
