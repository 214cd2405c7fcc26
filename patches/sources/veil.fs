/*{
  "ISFVSN": "2",
  "CREDIT": "perform",
  "DESCRIPTION": "Folds of heavy cloth breathe in a light from the side.",
  "CATEGORIES": ["Generator", "Fabric"],
  "INPUTS": [
    {"NAME": "speed", "LABEL": "Speed of everything that moves", "TYPE": "float", "DEFAULT": 1.0, "MIN": 0.0, "MAX": 4.0},
    {"NAME": "scale", "LABEL": "Size of the folds", "TYPE": "float", "DEFAULT": 1.0, "MIN": 0.3, "MAX": 3.0},
    {"NAME": "drape", "LABEL": "From rippled (0) to hanging (1)", "TYPE": "float", "DEFAULT": 0.5, "MIN": 0.0, "MAX": 1.0},
    {"NAME": "depth", "LABEL": "Depth of the folds", "TYPE": "float", "DEFAULT": 0.5, "MIN": 0.0, "MAX": 1.0},
    {"NAME": "sheen", "LABEL": "From linen (0) to silk (1)", "TYPE": "float", "DEFAULT": 0.3, "MIN": 0.0, "MAX": 1.0},
    {"NAME": "angle", "LABEL": "Where the light comes from, turns", "TYPE": "float", "DEFAULT": 0.12, "MIN": 0.0, "MAX": 1.0},
    {"NAME": "cloth", "LABEL": "Colour of the cloth", "TYPE": "color", "DEFAULT": [0.78, 0.70, 0.62, 1.0]},
    {"NAME": "detail", "LABEL": "Octaves of fold (cost)", "TYPE": "float", "DEFAULT": 3.0, "MIN": 1.0, "MAX": 5.0}
  ],
  "PASSES": [
    {"TARGET": "clock", "PERSISTENT": true, "FLOAT": true, "WIDTH": "1", "HEIGHT": "1"},
    {}
  ]
}*/

/* Idea   A height field of noise bent by its own slope: where the bending piles up, cloth folds. Lit as fabric: a soft
          wrapped light, a broad sheen across the fold, light that comes through the thin crests, dark that pools in valleys.
   Inputs speed, scale, drape, depth, sheen, angle, cloth, detail.
   Cost   2 + detail noises a pixel.
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
void main() {
    float t = beat();
    if (PASSINDEX == 0) {
        gl_FragColor = windClock();
        return;
    }
    vec2 p = (isf_FragNormCoord - 0.5) * vec2(RENDERSIZE.x / RENDERSIZE.y, 1.0) / scale;
    float breath = circle(t, 9.0).y;
    p = mat2(0.94, -0.34, 0.34, 0.94) * p;
    vec2 stretch = mix(vec2(0.9, 0.7), vec2(1.25, 0.30), drape);
    vec2 q = p * stretch + 0.5 * circle(t, 200.0);
    vec3 a = flow(p * 0.55 + 0.4 * circle(t, 300.0), t, 0.25);
    vec3 b = flow(q * 0.9 + 0.12 * a.yz + 4.0, t, 0.25);
    q += 0.05 * b.yz + 0.06 * a.yz * (1.0 + 0.15 * breath);
    float height = 0.45 * b.x, amp = 0.75, fold = 1.9;
    vec2 slope = 0.45 * b.yz * stretch;
    for (int i = 0; i < 5; i++) {
        if (float(i) >= floor(detail)) break;
        vec3 f = flow(q * fold + 7.7 * float(i), t, 0.25);
        height += amp * f.x;
        slope += amp * fold * f.yz * stretch;
        q += 0.05 * f.xx / fold;
        q.y *= 0.86;
        fold *= 1.75;
        amp *= 0.40;
    }
    float ang = 6.2831853 * (angle + 0.02 * circle(t, 36.0).x);
    vec3 n = normalize(vec3(-slope * depth * 0.55, 1.0));
    vec3 l = normalize(vec3(cos(ang), sin(ang), 0.42));
    float wrap = clamp((dot(n, l) + 0.30) / 1.30, 0.0, 1.0);
    float gloss = clamp(dot(n, normalize(l + vec3(0.0, 0.0, 1.0))), 0.0, 1.0);
    gloss = pow(gloss, mix(5.0, 26.0, sheen));
    float valley = smoothstep(-1.2, 0.7, height);
    vec3 base = cloth.rgb * cloth.rgb;
    vec3 col = base * wrap * wrap * (0.15 + 0.85 * valley) * 1.25;
    col += base * vec3(0.15, 0.07, 0.045) * smoothstep(0.1, 1.1, height) * (0.8 + 0.2 * breath);   // light through the crests
    col += mix(base, vec3(1.0, 0.94, 0.86), 0.4) * gloss * (0.03 + 0.22 * sheen) * valley;
    col += vec3(0.007, 0.011, 0.020) * (1.2 - wrap);
    col *= 1.15 - 0.9 * dot(isf_FragNormCoord - 0.5, isf_FragNormCoord - 0.5);
    gl_FragColor = vec4(film(col) + dither(), 1.0);
}
