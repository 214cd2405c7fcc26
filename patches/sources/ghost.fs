/*{
  "ISFVSN": "2",
  "CREDIT": "perform",
  "DESCRIPTION": "A presence for when nobody is there: breath and cloth gather into somebody, nearly, and let go again.",
  "CATEGORIES": ["Generator", "Figure"],
  "INPUTS": [
    {"NAME": "speed", "LABEL": "Speed of everything that moves", "TYPE": "float", "DEFAULT": 1.0, "MIN": 0.0, "MAX": 4.0},
    {"NAME": "presence", "LABEL": "How much of a figure there is", "TYPE": "float", "DEFAULT": 0.75, "MIN": 0.0, "MAX": 1.0},
    {"NAME": "breath", "LABEL": "Depth of its breathing", "TYPE": "float", "DEFAULT": 0.5, "MIN": 0.0, "MAX": 1.0},
    {"NAME": "folds", "LABEL": "Folds in the cloth", "TYPE": "float", "DEFAULT": 0.6, "MIN": 0.0, "MAX": 1.0},
    {"NAME": "scale", "LABEL": "Size of the figure", "TYPE": "float", "DEFAULT": 1.0, "MIN": 0.4, "MAX": 2.0},
    {"NAME": "tint", "LABEL": "Colour of the light", "TYPE": "color", "DEFAULT": [0.93, 0.86, 0.78, 1.0]},
    {"NAME": "detail", "LABEL": "Octaves of cloth (cost)", "TYPE": "float", "DEFAULT": 3.0, "MIN": 1.0, "MAX": 5.0}
  ],
  "PASSES": [
    {"TARGET": "clock", "PERSISTENT": true, "FLOAT": true, "WIDTH": "1", "HEIGHT": "1"},
    {"TARGET": "body", "WIDTH": "floor($WIDTH*0.5)", "HEIGHT": "floor($HEIGHT*0.5)"},
    {}
  ]
}*/

/* Idea   A head, two shoulders and two slow arms as soft distances, bent by flow noise until they are smoke, and filled with
          hanging folds lit from one side. It breathes every 8 s, turns over a minute, reaches and lets go. Never a face.
   Inputs speed, presence, breath, folds, scale, tint, detail.
   Cost   everything at half size (2 + detail noises a texel), 1 fetch and a little grain a pixel.
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
// Distance to a thick line from a to b.
float limb(vec2 p, vec2 a, vec2 b, float ra, float rb) {
    vec2 ab = b - a;
    float h = clamp(dot(p - a, ab) / dot(ab, ab), 0.0, 1.0);
    return length(p - a - ab * h) - mix(ra, rb, h);
}

float join(float a, float b, float k) {
    float h = max(k - abs(a - b), 0.0) / k;
    return min(a, b) - h * h * k * 0.25;
}

// Signed distance to somebody standing there, feet far below the picture. p: head at about (0, 0.2).
float somebody(vec2 p, float t, float inhale) {
    float sway = 0.035 * circle(t, 18.0).x;
    vec2 head = vec2(sway + 0.02 * circle(t, 30.0).y, 0.235 + 0.012 * inhale);
    float d = length((p - head) * vec2(1.18, 0.92)) - 0.085;
    d = join(d, limb(p, head - vec2(0.0, 0.08), vec2(sway * 0.5, 0.02), 0.040, 0.075), 0.10);
    float wide = 0.155 + 0.014 * inhale;
    float chest = limb(p, vec2(-wide, 0.035) + sway * 0.6, vec2(wide, 0.035) + sway * 0.6, 0.058, 0.058);
    d = join(d, chest, 0.16);
    d = join(d, limb(p, vec2(sway * 0.5, -0.04), vec2(-sway, -0.75), 0.150 + 0.012 * inhale, 0.30), 0.16);
    // two arms that rise and fall out of step; their hands are light
    vec2 l = vec2(-0.34, -0.22) + vec2(0.10, 0.26) * (0.5 + 0.5 * circle(t, 40.0).x) + 0.03 * circle(t, 12.0);
    vec2 r = vec2(0.34, -0.22) + vec2(-0.08, 0.28) * (0.5 + 0.5 * circle(t, 48.0).y) + 0.03 * circle(t, 10.0);
    d = join(d, limb(p, vec2(-wide, 0.02) + sway * 0.6, l, 0.056, 0.034), 0.12);
    return join(d, limb(p, vec2(wide, 0.02) + sway * 0.6, r, 0.056, 0.034), 0.12);
}

// Scene light (x), how solid (y), rim (z).
vec3 presenceAt(vec2 p, float t) {
    float inhale = circle(t, 8.0).x * breath + 0.3 * circle(t, 24.0).y * breath;
    float here = presence * (0.72 + 0.28 * circle(t, 60.0).x);          // it comes and goes
    vec3 slow = flow(p * 1.3 + vec2(0.0, 1.7) + 0.4 * circle(t, 120.0), t, 0.25);
    vec3 mid = flow(p * vec2(3.0, 1.3) + 0.20 * slow.yz, t, 0.5);
    vec2 bend = (0.004 + 0.012 * (1.0 - here)) * mid.yz + 0.018 * (1.3 - here) * slow.yz;
    float d = somebody(p + bend, t, inhale);

    // hanging folds: stretched noise that gathers at the shoulders and widens downwards
    float hang = clamp(0.30 - p.y, 0.0, 1.0);
    vec2 q = vec2((p.x + bend.x) * (8.0 - 4.5 * hang), p.y * 0.55 + 0.25 * slow.x);
    float cloth = 0.0, lean = 0.0, a = 0.6;
    for (int i = 0; i < 5; i++) {
        if (float(i) >= floor(detail)) break;
        vec3 f = flow(q + 0.10 * mid.xx, t, 0.5);
        cloth += a * f.x;
        lean += a * f.y;
        q = mat2(2.0, 0.15, -0.15, 1.3) * q + 3.3;
        a *= 0.5;
    }
    float solid = smoothstep(0.07, -0.12, d + 0.03 * cloth);
    float side = clamp(0.5 + 0.5 * dot(normalize(vec2(p.x + 0.001, 0.35)), vec2(0.8, 0.6)) * 1.2 - 0.15, 0.0, 1.0);
    float silk = clamp(0.5 + folds * (0.26 * lean + 0.30 * cloth), 0.0, 1.2);
    float rim = exp(-abs(d + 0.02) * 16.0);
    float inner = clamp(-d * 5.0, 0.0, 1.0);
    float light = solid * (0.13 + 1.60 * silk * silk * (0.30 + 0.70 * side)) * (0.6 + 0.4 * inner);
    light += rim * (0.06 + 0.34 * side) * (0.4 + 0.6 * here);
    // the air it stands in: a slow glow behind, smoke, dark below
    float air = exp(-dot(p - vec2(0.12, 0.12), p - vec2(0.12, 0.12)) * 2.6) * (0.11 + 0.03 * inhale);
    air += 0.035 * (0.5 + 0.5 * slow.x) * smoothstep(-0.5, 0.3, p.y) + 0.018 * (0.5 + 0.5 * mid.x) * smoothstep(0.5, 0.0, d);
    return vec3(light * (0.35 + 0.65 * here) + air * (1.0 - 0.5 * solid), solid, rim);
}

void main() {
    float t = beat();
    vec2 uv = isf_FragNormCoord;
    if (PASSINDEX == 0) {
        gl_FragColor = windClock();
        return;
    }
    if (PASSINDEX == 1) {
        vec2 p = (uv - 0.5) * vec2(RENDERSIZE.x / RENDERSIZE.y, 1.0) / (1.18 * scale) + vec2(0.0, 0.015);
        vec3 who = presenceAt(p, t);
        vec3 cold = vec3(0.30, 0.42, 0.58);
        vec3 warm = tint.rgb * tint.rgb * 1.1;
        vec3 col = mix(cold, warm, clamp(who.x * 1.3 - 0.1, 0.0, 1.0)) * who.x + vec3(0.006, 0.008, 0.012);
        col *= 1.0 - 1.3 * dot(uv - 0.5, uv - 0.5);
        gl_FragColor = vec4(film(col) + dither(), 1.0);
        return;
    }
    gl_FragColor = vec4(IMG_NORM_PIXEL(body, uv).rgb + 1.5 * dither(), 1.0);
}
