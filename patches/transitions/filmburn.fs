/*{
  "ISFVSN": "2",
  "CREDIT": "perform",
  "DESCRIPTION": "The film catches in the gate: it browns, glows and falls away from the picture beneath.",
  "CATEGORIES": ["Transition", "Film"],
  "INPUTS": [
    {"NAME": "startImage", "LABEL": "The picture that leaves", "TYPE": "image"},
    {"NAME": "endImage", "LABEL": "The picture that comes", "TYPE": "image"},
    {"NAME": "progress", "LABEL": "How far the change has come", "TYPE": "float", "DEFAULT": 0.0, "MIN": 0.0, "MAX": 1.0},
    {"NAME": "scale", "LABEL": "Size of the holes", "TYPE": "float", "DEFAULT": 1.0, "MIN": 0.3, "MAX": 3.0},
    {"NAME": "heat", "LABEL": "Strength of the glow", "TYPE": "float", "DEFAULT": 0.6, "MIN": 0.0, "MAX": 1.0},
    {"NAME": "brown", "LABEL": "Width of the browned rim", "TYPE": "float", "DEFAULT": 0.5, "MIN": 0.0, "MAX": 1.0},
    {"NAME": "seed", "LABEL": "Another film", "TYPE": "float", "DEFAULT": 0.0, "MIN": 0.0, "MAX": 100.0}
  ]
}*/

/* Idea   Noise says when each point burns; ahead of the hole the film browns, chars and curls, its rim glows.
   Inputs scale, heat, brown, seed.
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
    vec2 p = (uv - 0.5) * vec2(RENDERSIZE.x / RENDERSIZE.y, 1.0) / scale + vec2(seed * 2.3, seed * 4.1);
    vec3 a = flow(p * 1.15 + 7.0, 10.0 * seed, 1.0);
    vec3 b = flow(p * 2.7 + 0.16 * a.yz, 10.0 * seed, 1.0);
    vec3 c = flow(p * 6.5 + 0.13 * b.yz, 10.0 * seed + 12.0 * progress, 1.0);
    float order = clamp(0.5 + 0.30 * a.x + 0.15 * b.x + 0.06 * c.x + 0.02 * flow(p * 17.0 + 0.2 * c.yz, 0.0, 1.0).x, 0.0, 1.0);
    float width = 0.05 + 0.22 * brown;
    float even = progress + 0.72 / 6.2831853 * sin(6.2831853 * progress);  // noise has few values near its ends: quicker through those
    float k = mix(0.06, 1.02 + width, even);
    float d = k - order;                                                 // > 0: burnt through
    float ends = smoothstep(0.0, 0.06, progress) * smoothstep(1.0, 0.94, progress);
    float hole = smoothstep(width - 0.012, width + 0.012, d);
    float scorch = smoothstep(-0.02, width, d) * ends;
    float rim = exp(-abs(d - width) * 46.0) * ends;
    float glowing = exp(-max(width - d, 0.0) * 11.0) * (1.0 - hole) * ends;
    vec2 curl = 0.020 * vec2(b.y, b.z) * scorch * scorch;
    vec4 from = IMG_NORM_PIXEL(startImage, uv + curl);
    vec4 to = IMG_NORM_PIXEL(endImage, uv);
    vec3 film = from.rgb * mix(vec3(1.0), vec3(0.74, 0.56, 0.40), smoothstep(0.0, 0.55, scorch));
    film *= 1.0 - 0.93 * smoothstep(0.35, 1.0, scorch);
    film += heat * glowing * glowing * (0.55 + 0.45 * c.x) * vec3(0.62, 0.24, 0.09) * 0.75;
    vec3 col = mixed(vec4(film, from.a), to, hole).rgb;
    col += heat * rim * (0.5 + 0.5 * c.x) * vec3(1.0, 0.70, 0.40) * 0.80;
    col += heat * 0.10 * exp(-abs(d - width) * 7.0) * ends * vec3(1.0, 0.5, 0.2);
    gl_FragColor = vec4(clamp(col, 0.0, 1.0), mix(from.a, to.a, hole));
}
