/*{
  "ISFVSN": "2",
  "CREDIT": "perform",
  "DESCRIPTION": "Living tissue under a slow microscope: cells crowd, breathe and lean on each other.",
  "CATEGORIES": ["Generator", "Organic"],
  "INPUTS": [
    {"NAME": "speed", "LABEL": "Speed of everything that moves", "TYPE": "float", "DEFAULT": 1.0, "MIN": 0.0, "MAX": 4.0},
    {"NAME": "scale", "LABEL": "Size of the cells", "TYPE": "float", "DEFAULT": 1.0, "MIN": 0.3, "MAX": 3.0},
    {"NAME": "membrane", "LABEL": "Width of the membranes", "TYPE": "float", "DEFAULT": 0.5, "MIN": 0.0, "MAX": 1.0},
    {"NAME": "nucleus", "LABEL": "Size of the nuclei", "TYPE": "float", "DEFAULT": 0.5, "MIN": 0.0, "MAX": 1.0},
    {"NAME": "unrest", "LABEL": "How far they move", "TYPE": "float", "DEFAULT": 0.7, "MIN": 0.0, "MAX": 1.0},
    {"NAME": "stain", "LABEL": "Colour of the stain", "TYPE": "color", "DEFAULT": [0.30, 0.36, 0.42, 1.0]},
    {"NAME": "kernel", "LABEL": "Colour of the nuclei", "TYPE": "color", "DEFAULT": [0.62, 0.30, 0.24, 1.0]},
    {"NAME": "field", "LABEL": "Colour of the light behind", "TYPE": "color", "DEFAULT": [0.96, 0.85, 0.72, 1.0]}
  ],
  "PASSES": [
    {"TARGET": "clock", "PERSISTENT": true, "FLOAT": true, "WIDTH": "1", "HEIGHT": "1"},
    {}
  ]
}*/

/* Idea   Worley's cells with the distance to the wall (Quilez) instead of to the seed, on a bent plane so that no lattice
          shows; seeds ride on their own circles of 8 to 20 s. Stained like a slide: light from behind, dark walls, a denser
          nucleus, and a second, unsharp layer below for depth.
   Inputs speed, scale, membrane, nucleus, unrest, stain, kernel, field.
   Cost   9 + 21 cells for the sharp layer, 9 for the one below, 2 noises a pixel.
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
// Where the seed of a cell is now, from the cell's corner; about 0..1.
vec2 seed(vec2 cell, float t) {
    vec2 h = hash2(cell);
    vec2 k = floor(vec2(360.0) + 540.0 * fract(h * 37.0));            // turns in 7200 s: 8 to 20 s each
    vec2 a = fract(h.yx + k * (t / 7200.0) * vec2(1.0, -1.0));
    vec2 u = fract(a + 0.25) - 0.5;
    return 0.5 + (h - 0.5) * 0.62 + (0.10 + 0.14 * unrest) * unrest * (8.0 * u - 16.0 * u * abs(u));
}

// Distance to the seed (x) and to the wall (y); z, w: which cell.
vec4 cells(vec2 p, float t) {
    vec2 n = floor(p), f = p - n, best = vec2(0.0), who = vec2(0.0);
    float d = 9.0, wall = 9.0;
    for (int j = -1; j <= 1; j++) {
        for (int i = -1; i <= 1; i++) {
            vec2 g = vec2(float(i), float(j));
            vec2 r = g + seed(n + g, t) - f;
            float dd = dot(r, r);
            if (dd < d) {
                d = dd;
                best = r;
                who = g;
            }
        }
    }
    for (int j = -2; j <= 2; j++) {
        for (int i = -2; i <= 2; i++) {
            if (i * j == 4 || i * j == -4) continue;
            vec2 g = who + vec2(float(i), float(j));
            vec2 r = g + seed(n + g, t) - f;
            vec2 away = r - best;
            float m = dot(away, away);
            if (m > 0.0001) {
                float w = dot(0.5 * (best + r), away * inversesqrt(m));
                float k = max(0.14 - abs(wall - w), 0.0);             // walls meet in rounded corners
                wall = min(wall, w) - k * k * 1.3;
            }
        }
    }
    return vec4(sqrt(d), wall, n + who);
}

// The layer below, out of focus: a smooth sum of seeds.
float blurred(vec2 p, float t) {
    vec2 n = floor(p), f = p - n;
    float s = 0.0;
    for (int j = -1; j <= 1; j++) {
        for (int i = -1; i <= 1; i++) {
            vec2 g = vec2(float(i), float(j));
            vec2 r = g + seed(n + g, t) - f;
            float w = max(1.0 - dot(r, r) * 1.1, 0.0);
            s += w * w * w;
        }
    }
    return s;
}

void main() {
    float t = beat();
    if (PASSINDEX == 0) {
        gl_FragColor = windClock();
        return;
    }
    vec2 uv = isf_FragNormCoord;
    vec2 p = (uv - 0.5) * vec2(RENDERSIZE.x / RENDERSIZE.y, 1.0);
    vec3 a = flow(p * 1.1 + 0.5 * circle(t, 360.0), t, 0.25);
    vec3 b = flow(p * 4.0 + 9.0, t, 0.5);
    vec2 q = p * 4.2 / scale + 0.40 * vec2(a.x, -a.x) + 0.06 * a.yz + 0.035 * b.yz + 1.5 * circle(t, 600.0);
    vec4 c = cells(q, t);
    vec2 h = hash2(c.zw + 71.0);
    float breath = sin(6.2831853 * (floor(600.0 + 240.0 * h.x) * (t / 7200.0) + h.y));
    float below = blurred(q * 0.46 + 20.0, t);

    float px = 4.2 / (scale * RENDERSIZE.y);
    float wide = 0.012 + 0.055 * membrane;
    float line = 1.0 - smoothstep(wide - px, wide + 0.05 + px, c.y);
    float rim = exp(-max(c.y - wide, 0.0) * 9.0);
    float r = (0.10 + 0.17 * nucleus) * (1.0 + 0.10 * breath) * (0.75 + 0.5 * h.x);
    float core = 1.0 - smoothstep(r * 0.55, r * 1.15 + px, c.x + 0.05 * b.x + 0.02 * b.y * 0.2);
    float dot1 = 1.0 - smoothstep(r * 0.16, r * 0.34, length(vec2(c.x, 0.3 * r * b.x)));
    float grain = 0.5 + 0.5 * b.x;

    // absorption of the stain, as on a slide
    float dose = 0.14 + 0.24 * h.y + 0.08 * grain + 0.05 * breath;
    dose += 0.50 * rim * (0.6 + 0.4 * h.x) + 1.7 * line;
    dose += 0.35 * below * (0.7 + 0.3 * a.x) + 0.45 * (0.5 - 0.5 * a.x) + 1.8 * dot(uv - 0.5, uv - 0.5);
    float seen = core * (0.9 + 0.4 * grain) + 0.8 * dot1 * core;
    vec3 k = -log(clamp(stain.rgb, 0.02, 0.98));
    vec3 kn = -log(clamp(kernel.rgb, 0.02, 0.98));
    vec3 col = field.rgb * field.rgb * 1.20 * exp(-k * dose - kn * seen);
    col += vec3(0.03, 0.022, 0.015) * rim * (1.0 - line);
    gl_FragColor = vec4(film(col) + dither(), 1.0);
}
