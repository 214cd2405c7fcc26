/*{
  "ISFVSN": "2",
  "CREDIT": "perform",
  "DESCRIPTION": "The coming picture soaks through like ink into wet paper, its edge dark and uneven.",
  "CATEGORIES": ["Transition", "Wipe"],
  "INPUTS": [
    {"NAME": "startImage", "LABEL": "The picture that leaves", "TYPE": "image"},
    {"NAME": "endImage", "LABEL": "The picture that comes", "TYPE": "image"},
    {"NAME": "progress", "LABEL": "How far the change has come", "TYPE": "float", "DEFAULT": 0.0, "MIN": 0.0, "MAX": 1.0},
    {"NAME": "scale", "LABEL": "Size of the stains", "TYPE": "float", "DEFAULT": 1.0, "MIN": 0.3, "MAX": 3.0},
    {"NAME": "softness", "LABEL": "Softness of the edge", "TYPE": "float", "DEFAULT": 0.35, "MIN": 0.02, "MAX": 1.0},
    {"NAME": "edge", "LABEL": "Ink that gathers at the edge", "TYPE": "float", "DEFAULT": 0.5, "MIN": 0.0, "MAX": 1.0},
    {"NAME": "seed", "LABEL": "Another stain", "TYPE": "float", "DEFAULT": 0.0, "MIN": 0.0, "MAX": 100.0}
  ]
}*/

/* Idea   Noise on three scales says when each point is reached; the edge is wet: it darkens and pulls the picture a little.
   Inputs scale, softness, edge, seed.
   Cost   4 noises and 2 fetches a pixel.
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
    vec2 p = (uv - 0.5) * vec2(RENDERSIZE.x / RENDERSIZE.y, 1.0) / scale + vec2(seed * 3.7, seed * 1.9);
    vec3 a = flow(p * 1.3, 10.0 * seed, 1.0);
    vec3 b = flow(p * 3.1 + 0.20 * a.yz, 10.0 * seed, 1.0);
    vec3 c = flow(p * 8.0 + 0.16 * b.yz, 10.0 * seed, 1.0);
    float order = 0.5 + 0.27 * a.x + 0.16 * b.x + 0.07 * c.x + 0.035 * flow(p * 19.0 + 0.2 * c.yz, 0.0, 1.0).x;
    order = clamp(order, 0.0, 1.0);
    float soft = softness * 0.35 + 0.01;
    float even = progress + 0.72 / 6.2831853 * sin(6.2831853 * progress);  // noise has few values near its ends: quicker through those
    float k = even * (1.0 + 2.0 * soft) - soft;
    float d = (k - order) / soft;                                       // -1..1 across the edge
    float m = smoothstep(-1.0, 1.0, d);
    vec2 pull = 0.016 * vec2(c.y, c.z) * (1.0 - abs(clamp(d * 0.5, -1.0, 1.0))) * smoothstep(0.0, 0.1, progress) * smoothstep(1.0, 0.9, progress);
    vec4 from = IMG_NORM_PIXEL(startImage, uv + pull * 0.4), to = IMG_NORM_PIXEL(endImage, uv - pull);
    vec4 col = mixed(from, to, m);
    float wet = exp(-abs(d - 0.35) * 2.6) * smoothstep(0.0, 0.12, progress) * smoothstep(1.0, 0.88, progress);
    col.rgb *= 1.0 - edge * 0.62 * wet * (0.7 + 0.3 * c.x);
    gl_FragColor = col;
}
