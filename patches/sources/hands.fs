/*{
  "ISFVSN": "2",
  "CREDIT": "perform",
  "DESCRIPTION": "Two slow hands over a dark cloth: they open, close and wander. For a table without a camera.",
  "CATEGORIES": ["Generator", "Figure"],
  "INPUTS": [
    {"NAME": "speed", "LABEL": "Speed of everything that moves", "TYPE": "float", "DEFAULT": 1.0, "MIN": 0.0, "MAX": 4.0},
    {"NAME": "count", "LABEL": "How many hands", "TYPE": "long", "VALUES": [1, 2], "LABELS": ["one", "two"], "DEFAULT": 2},
    {"NAME": "reach", "LABEL": "How far they wander", "TYPE": "float", "DEFAULT": 0.6, "MIN": 0.0, "MAX": 1.0},
    {"NAME": "grip", "LABEL": "From open (0) to fist (1)", "TYPE": "float", "DEFAULT": 0.35, "MIN": 0.0, "MAX": 1.0},
    {"NAME": "scale", "LABEL": "Size of the hands", "TYPE": "float", "DEFAULT": 1.0, "MIN": 0.4, "MAX": 2.0},
    {"NAME": "light", "LABEL": "Strength of the light", "TYPE": "float", "DEFAULT": 1.0, "MIN": 0.0, "MAX": 2.0},
    {"NAME": "skin", "LABEL": "Colour of the hands", "TYPE": "color", "DEFAULT": [0.86, 0.68, 0.57, 1.0]},
    {"NAME": "cloth", "LABEL": "Colour of the cloth", "TYPE": "color", "DEFAULT": [0.24, 0.27, 0.31, 1.0]}
  ],
  "PASSES": [
    {"TARGET": "clock", "PERSISTENT": true, "FLOAT": true, "WIDTH": "1", "HEIGHT": "1"},
    {}
  ]
}*/

/* Idea   A hand is fourteen round limbs that melt into each other; each limb knows which way its surface faces, so the melt can be
          lit like clay without a ray. Fingers curl by getting shorter and turning in, each a little later than the last.
   Inputs speed, count, reach, grip, scale, light, skin, cloth.
   Cost   14 limbs a hand and 3 noises a pixel.
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
// What has been built so far at a point: distance (x), the way its surface faces (yz), how high it lies (w).
vec4 meld(vec4 s, vec2 p, vec2 a, vec2 b, vec3 size, float k) {
    vec2 ab = b - a;
    float h = clamp(dot(p - a, ab) / dot(ab, ab), 0.0, 1.0);
    vec2 q = p - a - ab * h;
    float r = mix(size.x, size.y, h);
    float d = length(q) - r;
    float m = clamp(0.5 + 0.5 * (s.x - d) / k, 0.0, 1.0);
    vec4 part = vec4(d, q / r, size.z);
    return vec4(mix(s.x, d, m) - k * m * (1.0 - m), mix(s.yzw, part.yzw, m));
}

vec2 turned(vec2 v, float a) { return vec2(v.x * cos(a) - v.y * sin(a), v.x * sin(a) + v.y * cos(a)); }

// A hand in its own frame: wrist at 0, fingers up, thumb to the left; about 1 from wrist to finger tip when open.
vec4 hand(vec2 p, float t, float late) {
    float breath = circle(t + 7.0 * late, 9.0).x;
    vec4 s = vec4(9.0, 0.0, 0.0, 0.0);
    s = meld(s, p, vec2(0.02, -1.9), vec2(0.0, -0.02), vec3(0.235, 0.150, 0.0), 0.02);          // forearm
    s = meld(s, p, vec2(-0.085, 0.10), vec2(-0.110, 0.36), vec3(0.135, 0.120, 0.1), 0.10);       // palm
    s = meld(s, p, vec2(0.075, 0.10), vec2(0.110, 0.34), vec3(0.135, 0.115, 0.1), 0.10);
    s = meld(s, p, vec2(0.0, 0.12), vec2(0.0, 0.37), vec3(0.150, 0.130, 0.1), 0.06);
    for (int i = 0; i < 4; i++) {
        float k = float(i);
        float side = (k - 1.5) / 1.5;
        float curl = clamp(grip + 0.30 * circle(t + 1.1 * k + 7.0 * late, 12.0).x + 0.16 * circle(t + 0.6 * k + 3.0 * late, 30.0).y, 0.0, 1.0);
        float spread = -side * (0.20 + 0.07 * breath) * (1.0 - 0.6 * curl);
        float len = (i == 0 ? 0.92 : i == 1 ? 1.05 : i == 2 ? 1.0 : 0.80) * (1.0 - 0.34 * curl);
        vec2 root = vec2(0.225 * side * 0.86, 0.405 - 0.05 * side * side - 0.02 * side);
        vec2 along = turned(vec2(0.0, 1.0), spread);
        vec2 mid = root + along * 0.215 * len;
        vec2 bent = turned(along, side * 0.12 * curl + 0.05 * breath);
        vec2 knuckle = mid + bent * 0.150 * len;
        vec2 tip = knuckle + turned(bent, side * 0.22 * curl) * 0.105 * len * (1.0 - 0.4 * curl);
        s = meld(s, p, root, mid, vec3(0.072, 0.062, 0.2), 0.050);
        s = meld(s, p, mid, knuckle, vec3(0.060, 0.055, 0.25), 0.018);
        s = meld(s, p, knuckle, tip, vec3(0.055, 0.044, 0.3), 0.018);
    }
    float fold = clamp(0.8 * grip + 0.35 * circle(t + 7.0 * late, 18.0).y, 0.0, 1.0);
    vec2 root = vec2(-0.13, 0.08);
    vec2 mid = root + turned(vec2(0.0, 0.235), 0.95 - 0.55 * fold);
    vec2 tip = mid + turned(vec2(0.0, 0.205), 0.55 - 0.95 * fold);
    s = meld(s, p, root, mid, vec3(0.110, 0.068, 0.22), 0.09);
    return meld(s, p, mid, tip, vec3(0.066, 0.046, 0.35), 0.02);
}

// One hand in the picture: where its wrist is, which way it points, whether it is a left one.
vec4 placed(vec2 p, vec2 wrist, float angle, float flip, float size, float t, float late) {
    vec2 q = turned(p - wrist, -angle) / size;
    vec4 s = hand(vec2(q.x * flip, q.y), t, late);
    return vec4(s.x * size, turned(vec2(s.y * flip, s.z), angle), s.w);
}

void main() {
    float t = beat();
    if (PASSINDEX == 0) {
        gl_FragColor = windClock();
        return;
    }
    vec2 uv = isf_FragNormCoord;
    float aspect = RENDERSIZE.x / RENDERSIZE.y;
    vec2 p = (uv - 0.5) * vec2(aspect, 1.0);
    vec3 fold = flow(p * vec2(1.6, 1.1) + 0.3 * circle(t, 240.0), t, 0.1);
    vec3 fine = flow(p * vec2(3.6, 2.6) + 0.25 * fold.yz + 4.0, t, 0.1);

    float size = 0.66 * scale;
    float wide = min(aspect, 1.9);
    vec2 w1 = vec2(-0.25 * wide, -0.27) + reach * vec2(0.16 * circle(t, 24.0).x, 0.14 * circle(t, 36.0).y);
    vec2 w2 = vec2(0.25 * wide, -0.23) + reach * vec2(0.15 * circle(t, 30.0).y, 0.15 * circle(t, 20.0).x);
    if (count < 2) w1.x += 0.25 * wide;
    vec2 live = p + 0.0015 * fine.yz;                                    // nothing alive is quite straight
    vec4 a = placed(live, w1, -0.30 + 0.32 * reach * circle(t, 18.0).y, -1.0, size, t, 0.0);
    vec4 b = vec4(9.0, 0.0, 0.0, 0.0);
    if (count > 1) b = placed(live, w2, 0.34 + 0.34 * reach * circle(t, 22.5).x, 1.0, size, t, 1.0);

    vec3 l = normalize(vec3(-0.45 + 0.15 * circle(t, 40.0).x, 0.62, 0.62));
    vec2 edge = vec2(1.3 / RENDERSIZE.y, -1.3 / RENDERSIZE.y);
    float dim = exp(-1.1 * dot(p + vec2(0.28, -0.22), p + vec2(0.28, -0.22)));
    vec3 n = normalize(vec3(-0.16 * fold.yz - 0.07 * fine.yz, 1.0));
    vec3 ground = cloth.rgb * cloth.rgb * (0.25 + 1.1 * clamp(dot(n, l), 0.0, 1.0)) * (0.30 + 0.95 * dim);
    float near = min(a.x, b.x);
    ground *= 0.45 + 0.55 * smoothstep(-0.02, 0.13, near);               // the hands' shadow on the cloth
    vec3 col = ground;
    for (int i = 0; i < 2; i++) {
        vec4 s = i == 0 ? a : b;
        vec2 f = s.yz;
        float flat2 = min(dot(f, f), 0.985);
        vec3 nn = normalize(vec3(f, sqrt(1.0 - flat2) * 1.15) + vec3(0.05 * fine.yz, 0.0));
        float lit = clamp((dot(nn, l) + 0.18) / 1.18, 0.0, 1.0);
        vec3 base = skin.rgb * skin.rgb * (0.94 + 0.10 * fine.x);
        vec3 warm = base * vec3(1.0, 0.56, 0.44);
        vec3 c = base * lit * lit * 1.35 + warm * 0.26 * lit + warm * 0.09 * (0.5 + 0.5 * nn.y);
        c += vec3(0.30, 0.33, 0.38) * pow(clamp(dot(nn, normalize(l + vec3(0.0, 0.0, 1.0))), 0.0, 1.0), 22.0) * 0.12;
        c *= (0.55 + 0.65 * dim) * (0.75 + 0.8 * s.w);
        float shade = i == 0 ? 0.62 + 0.38 * smoothstep(-0.02, 0.10, b.x) : 1.0;    // the second hand over the first
        col = mix(col, c * shade, smoothstep(edge.x, edge.y, s.x));
    }
    col *= light * (1.06 - 0.7 * dot(uv - 0.5, uv - 0.5)) * (0.97 + 0.03 * circle(t, 10.0).x);
    gl_FragColor = vec4(film(col) + dither(), 1.0);
}
