/*{
  "ISFVSN": "2",
  "CREDIT": "perform",
  "DESCRIPTION": "Both pictures flow, one away and one into place, along currents they share.",
  "CATEGORIES": ["Transition", "Distort"],
  "INPUTS": [
    {"NAME": "startImage", "LABEL": "The picture that leaves", "TYPE": "image"},
    {"NAME": "endImage", "LABEL": "The picture that comes", "TYPE": "image"},
    {"NAME": "progress", "LABEL": "How far the change has come", "TYPE": "float", "DEFAULT": 0.0, "MIN": 0.0, "MAX": 1.0},
    {"NAME": "amount", "LABEL": "How far they flow", "TYPE": "float", "DEFAULT": 0.5, "MIN": 0.0, "MAX": 1.0},
    {"NAME": "scale", "LABEL": "Size of the currents", "TYPE": "float", "DEFAULT": 1.0, "MIN": 0.3, "MAX": 3.0},
    {"NAME": "sag", "LABEL": "How much they run downwards", "TYPE": "float", "DEFAULT": 0.35, "MIN": 0.0, "MAX": 1.0}
  ]
}*/

/* Idea   One field of currents carries the first picture off and brings the second in; it is nowhere still but at the ends.
   Inputs amount, scale, sag.
   Cost   2 noises and 2 fetches a pixel.
   At progress 0 the picture is startImage and at 1 endImage, bit for bit. MIT licence. */

vec2 hash2(vec2 p) {
    vec3 q = fract(p.xyx * vec3(0.1031, 0.1030, 0.0973));
    q += dot(q, q.yzx + 33.33);
    return fract((q.xx + q.yz) * q.zy);
}

// One corner of a triangle: value and slope of a gradient that turns with time, each at its own rate: k whole
// turns in 7200 s.
vec3 corner(vec2 cell, vec2 d, float t, float rate) {
    vec2 h = hash2(cell);
    float k = floor(rate * (140.0 + 260.0 * h.y) + 0.5) * (fract(h.y * 57.0) < 0.5 ? -1.0 : 1.0);
    vec2 a = fract(h.x + k * (t / 7200.0) + vec2(0.25, 0.0)) - 0.5;
    vec2 g = 8.0 * a - 16.0 * a * abs(a);                             // cosine and sine of the angle, near enough, without their price
    float w = max(0.8 - dot(d, d), 0.0);
    float w3 = w * w * w;
    float s = dot(g, d);
    return vec3(w3 * w * s, w3 * (w * g - 8.0 * s * d));
}

// Flow noise (Perlin & Neyret 2001) on a triangle grid (Gustavson 2021): x is the value, about -1..1; yz its slope. It boils in
// place instead of scrolling, shows no square lattice, and repeats exactly after 7200 s.
// At rate 1 a point turns once in 18 to 51 s.
vec3 flow(vec2 p, float t, float rate) {
    vec2 i = floor(vec2(p.x + 0.5 * p.y, p.y));
    vec2 f = vec2(p.x + 0.5 * p.y, p.y) - i;
    vec2 o = f.x > f.y ? vec2(1.0, 0.0) : vec2(0.0, 1.0);
    vec2 a = p - vec2(i.x - 0.5 * i.y, i.y);
    vec2 b = a - vec2(o.x - 0.5 * o.y, o.y);
    vec2 c = a - vec2(0.5, 1.0);
    return 10.9 * (corner(i, a, t, rate) + corner(i + o, b, t, rate) + corner(i + 1.0, c, t, rate));
}

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
    float aspect = RENDERSIZE.x / RENDERSIZE.y;
    vec2 p = (uv - 0.5) * vec2(aspect, 1.0) / scale;
    vec3 a = flow(p * 1.5 + 3.0, 40.0 * progress, 1.0);
    vec3 b = flow(p * 3.6 + 0.2 * a.yz, 60.0 * progress, 1.0);
    vec2 v = 0.055 * vec2(a.z, -a.y) + 0.028 * vec2(b.z, -b.y);
    v.y += sag * (0.22 + 0.16 * a.x + 0.10 * b.x);
    v /= vec2(aspect, 1.0);
    float k = progress * progress * (3.0 - 2.0 * progress);
    float m = smoothstep(0.0, 1.0, clamp(1.1 * progress - 0.05 + 1.1 * (a.x + 0.5 * b.x) * progress * (1.0 - progress), 0.0, 1.0));
    vec2 there = uv + v * amount * k * sqrt(k);
    vec2 here = uv - v * amount * (1.0 - k) * sqrt(1.0 - k);
    there = 1.0 - abs(1.0 - abs(there));                                 // what flows in from outside is mirrored
    here = 1.0 - abs(1.0 - abs(here));
    gl_FragColor = mixed(IMG_NORM_PIXEL(startImage, there), IMG_NORM_PIXEL(endImage, here), m);
}
