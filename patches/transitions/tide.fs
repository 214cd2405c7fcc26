/*{
  "ISFVSN": "2",
  "CREDIT": "perform",
  "DESCRIPTION": "Waves of the coming picture wash up, each a little farther than the last.",
  "CATEGORIES": ["Transition", "Wipe", "Distort"],
  "INPUTS": [
    {"NAME": "startImage", "LABEL": "The picture that leaves", "TYPE": "image"},
    {"NAME": "endImage", "LABEL": "The picture that comes", "TYPE": "image"},
    {"NAME": "progress", "LABEL": "How far the change has come", "TYPE": "float", "DEFAULT": 0.0, "MIN": 0.0, "MAX": 1.0},
    {"NAME": "waves", "LABEL": "How many waves", "TYPE": "float", "DEFAULT": 3.0, "MIN": 1.0, "MAX": 6.0},
    {"NAME": "softness", "LABEL": "Softness of the wet edge", "TYPE": "float", "DEFAULT": 0.4, "MIN": 0.02, "MAX": 1.0},
    {"NAME": "bending", "LABEL": "How much the water bends", "TYPE": "float", "DEFAULT": 0.6, "MIN": 0.0, "MAX": 1.0}
  ]
}*/

/* Idea   A beach: each wave runs up fast, bends what lies beneath it, and leaves the next picture on the sand.
   Inputs waves, softness, bending.
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
    vec2 p = (uv - 0.5) * vec2(aspect, 1.0);
    vec3 n = flow(p * vec2(1.3, 0.7) + 5.0, 30.0 * progress, 1.0);
    vec3 f = flow(p * vec2(4.0, 7.0) + 0.15 * n.yz, 60.0 * progress, 1.0);
    float soft = 0.02 + 0.22 * softness;
    // the line the water has reached rises in waves; what is wet stays changed
    float count = floor(waves + 0.5);
    float beat = fract(progress * count), wave = floor(progress * count);
    float surge = (wave + smoothstep(0.0, 0.75, beat)) / count;
    float now = (wave + sin(3.14159265 * min(beat * 1.05, 1.0)) * 0.9 * (1.0 - progress) + smoothstep(0.0, 1.0, beat)) / count;
    float margin = soft + 0.16;
    float shore = uv.y + 0.10 * n.x + 0.02 * f.x;
    float wet = (surge * (1.0 + 2.0 * margin) - margin - shore) / soft;
    float water = (now * (1.0 + 2.0 * margin) - margin - shore) / soft;
    float m = smoothstep(-1.0, 1.0, max(wet, water - 0.4));
    float ends = smoothstep(0.0, 0.05, progress) * smoothstep(1.0, 0.92, progress);
    float film = smoothstep(-0.6, 1.4, water) * smoothstep(9.0, 1.0, water) * ends;
    vec2 bend = bending * 0.011 * f.yz * film * vec2(0.6, 1.0);
    vec4 col = mixed(IMG_NORM_PIXEL(startImage, uv + bend), IMG_NORM_PIXEL(endImage, uv + bend), m);
    float foam = exp(-abs(water) * 1.6) * (0.5 + 0.5 * f.x) * ends;
    col.rgb = mix(col.rgb, vec3(0.92, 0.94, 0.94), 0.40 * foam) * (1.0 - 0.10 * film * (1.0 - m));
    gl_FragColor = col;
}
