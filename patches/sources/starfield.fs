/*{
  "ISFVSN": "2",
  "CREDIT": "perform",
  "DESCRIPTION": "A slow flight through stars, with a river of dust and light behind them.",
  "CATEGORIES": ["Generator", "Space"],
  "INPUTS": [
    {"NAME": "speed", "LABEL": "Speed of everything that moves", "TYPE": "float", "DEFAULT": 1.0, "MIN": 0.0, "MAX": 6.0},
    {"NAME": "density", "LABEL": "How many stars", "TYPE": "float", "DEFAULT": 0.6, "MIN": 0.0, "MAX": 1.0},
    {"NAME": "glow", "LABEL": "Size of their halos", "TYPE": "float", "DEFAULT": 0.4, "MIN": 0.0, "MAX": 1.0},
    {"NAME": "river", "LABEL": "Light of the galaxy behind", "TYPE": "float", "DEFAULT": 0.7, "MIN": 0.0, "MAX": 1.5},
    {"NAME": "tilt", "LABEL": "Tilt of the galaxy, turns", "TYPE": "float", "DEFAULT": 0.09, "MIN": 0.0, "MAX": 1.0},
    {"NAME": "twinkle", "LABEL": "How much the stars breathe", "TYPE": "float", "DEFAULT": 0.4, "MIN": 0.0, "MAX": 1.0},
    {"NAME": "detail", "LABEL": "Layers of stars (cost)", "TYPE": "float", "DEFAULT": 6.0, "MIN": 2.0, "MAX": 9.0}
  ],
  "PASSES": [
    {"TARGET": "clock", "PERSISTENT": true, "FLOAT": true, "WIDTH": "1", "HEIGHT": "1"},
    {"TARGET": "milk", "WIDTH": "floor($WIDTH*0.5)", "HEIGHT": "floor($HEIGHT*0.5)"},
    {}
  ]
}*/

/* Idea   Layers of stars come nearer for 120 s each, out of step, fading in far and out close: a flight with no seam. Few are
          bright, most are faint (a power law), their colours are those of black bodies. A small picture gets fewer, not
          harder, stars: each keeps its light, whatever the pixel. Behind them a band of star light, cut by dust.
   Inputs speed, density, glow, river, tilt, twinkle, detail.
   Cost   4 cells for each of `detail` layers a pixel; 6 noises a half-size texel.
   MIT licence. */

// Time at the chosen speed, 0..7200 s. `clock` remembers how far `speed` has put us ahead of TIME, so moving the
// fader never makes the picture jump, and at speed 1 the picture depends on TIME alone.
float beat() { return mod(TIME + IMG_NORM_PIXEL(clock, vec2(0.5)).x, 7200.0); }

vec4 windClock() {
    float ahead = FRAMEINDEX == 0 ? 0.0 : IMG_NORM_PIXEL(clock, vec2(0.5)).x;
    return vec4(mod(ahead + clamp(TIMEDELTA, 0.0, 0.5) * (speed - 1.0), 7200.0), 0.0, 0.0, 1.0);
}

// A slow circle: every period divides 7200 s, so wrapped time has no seam.
vec2 circle(float t, float period) {
    float a = 6.2831853 * t / period;
    return vec2(cos(a), sin(a));
}
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
// Filmic shoulder and toe (fit by Narkowicz 2015): scene light in, display values out.
vec3 film(vec3 x) {
    x = max(x, 0.0);
    return pow(clamp(x * (2.51 * x + 0.03) / (x * (2.43 * x + 0.59) + 0.14), 0.0, 1.0), vec3(0.4545));
}
// Half a step of fixed, even noise (Jimenez 2014) keeps gradients free of bands.
float dither() { return (fract(52.9829189 * fract(dot(gl_FragCoord.xy, vec2(0.06711056, 0.00583715)))) - 0.5) / 255.0; }
// From 3500 K (0) to 12000 K (1), roughly.
vec3 blackBody(float k) {
    return mix(vec3(1.0, 0.66, 0.42), vec3(0.66, 0.79, 1.0), smoothstep(0.0, 1.0, k)) + vec3(0.14) * (1.0 - abs(2.0 * k - 1.0));
}

vec3 layer(vec2 p, float id, float size, float t) {
    vec2 n = floor(p - 0.5);
    vec3 light = vec3(0.0);
    for (int j = 0; j < 4; j++) {
        vec2 cell = n + vec2(mod(float(j), 2.0), floor(float(j) * 0.5));
        vec2 h = hash2(cell + id * 17.3);
        vec2 g = hash2(cell * 1.7 + id * 5.1 + 40.0);
        vec2 r = p - cell - 0.5 - 0.44 * (h - 0.5);
        float g4 = g.x * g.x * g.x * g.x;
        float mag = g4 * g4 * g.x * 1.6 + 0.035;                       // few bright, many faint
        mag *= step(h.x * 0.7 + g.y * 0.3, 0.25 + 0.65 * density);
        float phase = fract(h.y + floor(400.0 + 500.0 * g.y) * (t / 7200.0));
        mag *= 1.0 - twinkle * 2.0 * phase * (1.0 - phase);
        float d2 = dot(r, r);
        float edge = max(1.0 - d2 * 4.0, 0.0);
        float core = mag / (1.0 + d2 / (size * size) * (0.6 + d2 / (size * size)));
        float halo = mag * mag * glow * 0.05 / (1.0 + d2 * 500.0);
        light += blackBody(fract(g.y * 7.3 + h.x)) * (core + halo) * edge * edge;
    }
    return light;
}

void main() {
    float t = beat();
    if (PASSINDEX == 0) {
        gl_FragColor = windClock();
        return;
    }
    vec2 uv = isf_FragNormCoord;
    vec2 p = (uv - 0.5) * vec2(RENDERSIZE.x / RENDERSIZE.y, 1.0);
    float roll = 0.16 * circle(t, 720.0).x + 0.01 * circle(t, 12.0).y;
    vec2 eye = mat2(cos(roll), sin(roll), -sin(roll), cos(roll)) * p + 0.05 * circle(t, 90.0);
    if (PASSINDEX == 1) {
        float a = 6.2831853 * tilt;
        vec2 g = mat2(cos(a), -sin(a), sin(a), cos(a)) * eye + vec2(0.0, 0.03);
        vec2 q = g * 1.25 + 0.7 * circle(t, 720.0);
        vec3 w = flow(q * 1.1, t, 0.05);
        vec3 v = flow(q * 2.3 + 0.10 * w.yz, t, 0.05);
        vec3 u = flow(q * 5.1 + 0.12 * v.yz + 3.0, t, 0.05);
        float fine = flow(q * 11.0 + 0.06 * u.yz, t, 0.05).x * 0.5 + flow(q * 23.0 + 0.05 * u.yz, t, 0.05).x * 0.25;
        float across = g.y + 0.07 * w.x;
        float band = exp(-across * across * 15.0);
        float heart = exp(-dot(g * vec2(0.9, 2.2), g * vec2(0.9, 2.2)) * 3.2);
        float cloud = 0.55 + 0.30 * v.x + 0.20 * u.x + 0.16 * fine;
        float lane = exp(-pow(abs(across + 0.035 * v.x + 0.02) * 13.0, 1.6));
        float dust = smoothstep(-0.15, 1.0, 0.72 * lane + 0.38 * v.x + 0.36 * u.x + 0.42 * fine - 0.16);
        vec3 col = vec3(0.60, 0.62, 0.74) * band * max(cloud, 0.0) * 0.32 + vec3(1.0, 0.74, 0.52) * heart * max(cloud, 0.1) * 0.62;
        col *= mix(vec3(1.0), vec3(0.085, 0.062, 0.055), dust * smoothstep(0.02, 0.5, band));
        col += vec3(0.42, 0.10, 0.13) * pow(max(u.x * 0.6 + v.x * 0.5, 0.0), 2.0) * band * 0.16 * (1.0 - dust);      // hydrogen
        col += vec3(0.05, 0.09, 0.16) * (0.5 + 0.5 * w.x) * 0.20;
        gl_FragColor = vec4(sqrt(max(col, 0.0)) * 0.7 + 2.0 * dither(), 1.0);
        return;
    }
    vec3 back = IMG_NORM_PIXEL(milk, uv).rgb / 0.7;
    vec3 col = back * back * river * 0.8 + vec3(0.0035, 0.0045, 0.008);
    float near = 1.0 + 360.0 / RENDERSIZE.y;
    for (int i = 0; i < 9; i++) {
        if (float(i) >= floor(detail)) break;
        float step0 = t / 120.0 + float(i) / floor(detail);
        float z = fract(step0);
        float id = float(i) + 13.0 * mod(floor(step0), 60.0);
        float scale = mix(26.0, 3.5, z * z * (3.0 - 2.0 * z) * 0.6 + 0.4 * z);
        float fade = smoothstep(0.0, 0.25, z) * smoothstep(1.0, 0.8, z);
        float size = scale * 0.00125 * near * (0.7 + 0.5 * z);
        col += layer(eye * scale + hash2(vec2(id, 3.0)) * 50.0, id, size, t) * fade * (0.5 + 1.3 * z) * 1.5;
    }
    gl_FragColor = vec4(film(col) + dither(), 1.0);
}
