/*{
  "ISFVSN": "2",
  "CREDIT": "perform",
  "DESCRIPTION": "Soft clouds drift over far ridges: light above, dark masses below. The quiet default, and good food for a world.",
  "CATEGORIES": ["Generator", "Landscape"],
  "INPUTS": [
    {"NAME": "speed", "LABEL": "Speed of everything that moves", "TYPE": "float", "DEFAULT": 1.0, "MIN": 0.0, "MAX": 4.0},
    {"NAME": "horizon", "LABEL": "Height of the horizon", "TYPE": "float", "DEFAULT": 0.4, "MIN": 0.0, "MAX": 0.9},
    {"NAME": "cover", "LABEL": "How much of the sky is cloud", "TYPE": "float", "DEFAULT": 0.5, "MIN": 0.0, "MAX": 1.0},
    {"NAME": "relief", "LABEL": "Height of the ridges", "TYPE": "float", "DEFAULT": 1.0, "MIN": 0.0, "MAX": 2.5},
    {"NAME": "mist", "LABEL": "Mist between the ridges", "TYPE": "float", "DEFAULT": 0.55, "MIN": 0.0, "MAX": 1.0},
    {"NAME": "warmth", "LABEL": "From blue hour (0) to late gold (1)", "TYPE": "float", "DEFAULT": 0.5, "MIN": 0.0, "MAX": 1.0},
    {"NAME": "detail", "LABEL": "Octaves of cloud (cost)", "TYPE": "float", "DEFAULT": 5.0, "MIN": 2.0, "MAX": 7.0}
  ],
  "PASSES": [
    {"TARGET": "clock", "PERSISTENT": true, "FLOAT": true, "WIDTH": "1", "HEIGHT": "1"},
    {"TARGET": "sky", "WIDTH": "floor($WIDTH*0.5)", "HEIGHT": "floor($HEIGHT*0.5)"},
    {"TARGET": "ridges", "FLOAT": true, "WIDTH": "$WIDTH", "HEIGHT": "1"},
    {}
  ]
}*/

/* Idea   A landscape reduced to what a painter blocks in first: a sky with a lit side, and four ridges that sink into mist.
          Everything breathes (light 10 s, horizon 12 s) and wanders along slow circles: no scroll, no seam within two hours.
   Inputs speed, horizon, cover, relief, mist, warmth, detail.
   Cost   ridges once per column, the sky at half size (1 + detail noises a texel), 2 fetches a pixel.
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
// Height of ridge k (0 far .. 3 near) over x, about -1..1.
float ridge(float x, float k, float t) {
    vec2 p = vec2(x * (0.62 + 0.26 * k) + 13.7 * k, 4.1 * k) + (0.25 + 0.3 * k) * circle(t, 600.0 - 120.0 * k) * vec2(1.0, 0.2);
    float h = 0.0, a = 0.62;
    for (int i = 0; i < 6; i++) {
        h += a * flow(p, t, 0.25).x;
        p = mat2(1.76, 0.95, -0.95, 1.76) * p + 7.3;
        a *= 0.44;
    }
    return h;
}

// Cloud density (x, about -1..1) and how much of the sun it sees (y, 0..1).
vec2 cloud(vec2 p, float up, float t) {
    float depth = 1.0 / (0.42 + max(up, -0.1));                     // clouds crowd together towards the horizon
    vec2 q = vec2(p.x * depth * 0.62, -depth * 0.95) + 2.0 * circle(t, 400.0) + 0.15 * circle(t, 72.0);
    vec3 w = flow(q * 0.6 + 3.1, t, 0.5);
    q += 0.16 * w.yz;
    float n = 0.35 * w.x, a = 0.62;
    vec2 slope = 0.2 * w.yz;
    mat2 turn = mat2(1.0);
    for (int i = 0; i < 7; i++) {
        if (float(i) >= floor(detail)) break;
        vec3 f = flow(q, t, 0.5);
        n += a * f.x;
        slope += a * (f.yz * turn);
        q = mat2(1.54, 1.26, -1.26, 1.54) * q + 5.2;
        turn = mat2(0.774, 0.633, -0.633, 0.774) * turn;
        a *= 0.52;
    }
    return vec2(n, 0.5 + 0.33 * dot(slope, vec2(0.75, 0.5)));
}

// The sky in display values, and in alpha how near the hidden sun is.
vec4 heaven(vec2 p, float up, float aspect, float t) {
    float breath = 0.5 + 0.5 * circle(t, 10.0).y;
    vec3 zenith = mix(vec3(0.09, 0.17, 0.28), vec3(0.11, 0.18, 0.32), warmth);
    vec3 low = mix(vec3(0.36, 0.52, 0.64), vec3(1.10, 0.58, 0.28), warmth);
    vec3 col = mix(low, zenith, smoothstep(-0.12, 0.62, up));
    vec2 sun = vec2(0.30 * aspect * circle(t, 360.0).x, 0.09);
    float glow = exp(-3.2 * length((vec2(p.x, up) - sun) * vec2(0.7, 1.3)));
    col += glow * (0.55 + 0.12 * breath) * mix(vec3(0.50, 0.60, 0.70), vec3(1.35, 0.75, 0.36), warmth);

    vec2 c = cloud(p, up, t);
    float edge = mix(0.55, -0.70, cover);
    float d = smoothstep(edge - 0.15, edge + 0.75, c.x) * smoothstep(-0.05, 0.25, up);
    vec3 shade = mix(vec3(0.13, 0.18, 0.26), vec3(0.21, 0.18, 0.23), warmth);
    vec3 light = mix(vec3(0.95, 1.02, 1.08), vec3(1.40, 1.08, 0.80), warmth) + 0.9 * glow * vec3(1.0, 0.7, 0.42);
    float lit = smoothstep(0.12, 0.95, c.y + 0.25 * glow - 0.25 * (d - 0.6));
    col = mix(col, mix(shade, light, lit), 0.92 * d);
    return vec4(film(col * 0.64) + dither(), glow);
}

void main() {
    float t = beat();
    vec2 uv = isf_FragNormCoord;
    if (PASSINDEX == 0) {
        gl_FragColor = windClock();
        return;
    }
    vec2 whole = PASSINDEX == 1 ? RENDERSIZE : IMG_SIZE(sky);        // RENDERSIZE is the pass's own; the strip has no shape
    float aspect = whole.x / max(whole.y, 1.0);
    float horizonY = horizon + 0.012 * circle(t, 12.0).y + 0.02 * circle(t, 90.0).x;
    vec2 p = vec2((uv.x - 0.5) * aspect, uv.y);
    if (PASSINDEX == 2) {
        gl_FragColor = vec4(ridge(p.x, 0.0, t), ridge(p.x, 1.0, t), ridge(p.x, 2.0, t), ridge(p.x, 3.0, t));
        return;
    }
    if (PASSINDEX == 1) {
        gl_FragColor = heaven(p, p.y - horizonY, aspect, t);
        return;
    }
    vec4 sky0 = IMG_NORM_PIXEL(sky, uv);
    vec4 crest = IMG_NORM_PIXEL(ridges, vec2(uv.x, 0.5));
    float breath = 0.5 + 0.5 * circle(t, 10.0).y;
    vec3 col = sky0.rgb;

    // ridges, far to near: each darker, each standing in the mist of the one behind it
    vec3 haze = mix(vec3(0.46, 0.57, 0.68), vec3(0.62, 0.55, 0.60), warmth) + sky0.a * mix(vec3(0.30), vec3(0.42, 0.20, 0.02), warmth);
    vec3 ink = mix(vec3(0.035, 0.065, 0.100), vec3(0.085, 0.060, 0.085), warmth);
    float y = p.y - horizonY + 0.02;
    float drop = 0.0, soft = 0.0012 + 1.0 / whole.y;
    for (int i = 0; i < 4; i++) {
        float k = float(i);
        float h = i == 0 ? crest.x : i == 1 ? crest.y : i == 2 ? crest.z : crest.w;
        float below = drop + relief * (0.055 + 0.035 * k) * h - y;
        float near = (k + 0.35) / 3.35;
        vec3 land = mix(mix(haze, ink, 0.55), ink, near * (1.3 - 0.3 * near));
        float fog = mist * (1.0 - 0.62 * near) * (0.85 + 0.15 * breath) * clamp(below * (6.0 - 3.0 * near), 0.0, 1.0);
        land = mix(land, haze * (1.0 - 0.35 * near), fog);
        col = mix(col, land, clamp(0.5 + below / soft, 0.0, 1.0));
        drop -= 0.07 + 0.022 * k;
        soft += 0.0022;
    }
    col *= 1.0 - 0.45 * dot(uv - 0.5, uv - 0.5);
    gl_FragColor = vec4(col + dither(), 1.0);
}
