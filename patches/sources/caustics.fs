/*{
  "ISFVSN": "2",
  "CREDIT": "perform",
  "DESCRIPTION": "Sunlight through moving water, gathered on pale sand.",
  "CATEGORIES": ["Generator", "Water"],
  "INPUTS": [
    {"NAME": "speed", "LABEL": "Speed of everything that moves", "TYPE": "float", "DEFAULT": 1.0, "MIN": 0.0, "MAX": 4.0},
    {"NAME": "scale", "LABEL": "Size of the ripples", "TYPE": "float", "DEFAULT": 1.0, "MIN": 0.3, "MAX": 3.0},
    {"NAME": "focus", "LABEL": "Depth of the water: how far the light has gathered", "TYPE": "float", "DEFAULT": 0.62, "MIN": 0.15, "MAX": 0.85},
    {"NAME": "light", "LABEL": "Strength of the light", "TYPE": "float", "DEFAULT": 1.0, "MIN": 0.0, "MAX": 2.0},
    {"NAME": "tint", "LABEL": "Colour of the water", "TYPE": "color", "DEFAULT": [0.16, 0.50, 0.56, 1.0]},
    {"NAME": "sand", "LABEL": "Colour of the ground", "TYPE": "color", "DEFAULT": [0.80, 0.74, 0.60, 1.0]},
    {"NAME": "detail", "LABEL": "Number of waves (cost)", "TYPE": "float", "DEFAULT": 11.0, "MIN": 5.0, "MAX": 16.0}
  ],
  "PASSES": [
    {"TARGET": "clock", "PERSISTENT": true, "FLOAT": true, "WIDTH": "1", "HEIGHT": "1"},
    {}
  ]
}*/

/* Idea   Real caustics, before the first fold: where does the ray that lands here come from (two steps of a fixed point), and
          how much did the surface squeeze its neighbours (the determinant of the map)? Red, green and blue bend differently,
          so the bright lines carry a hint of spectrum.
   Inputs speed, scale, focus, light, tint, sand, detail.
   Cost   3 x `detail` waves and 2 noises a pixel.
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
// Slope (xy) and curvature (xx, yy, xy in the out parameter) of the water above q.
vec2 water(vec2 q, float t, out vec3 bend) {
    vec2 s = vec2(0.0);
    bend = vec3(0.0);
    vec2 dir = vec2(0.28, 0.96);
    float n = 2.6, amp = 0.0560;
    for (int i = 0; i < 16; i++) {
        float fi = float(i);
        if (fi >= floor(detail)) break;
        float turns = floor(7200.0 * 0.085 * sqrt(n));
        float phase = dot(dir, q) * n * 0.15915494 + fract(turns * (t / 7200.0)) + fi * 0.618;
        vec2 u = fract(vec2(phase, phase + 0.25)) - 0.5;
        vec2 sc = 8.0 * u - 16.0 * u * abs(u);
        sc -= 0.225 * sc * (1.0 - abs(sc));
        s += amp * n * sc.y * dir;
        bend -= amp * n * n * sc.x * vec3(dir.x * dir.x, dir.y * dir.y, dir.x * dir.y);
        n *= 1.21;
        amp *= 0.735;
        dir = mat2(-0.7374, 0.6755, -0.6755, -0.7374) * dir;         // the golden angle: no two waves run together
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
    vec2 ground = vec2(p.x, p.y) / (1.0 - 0.28 * p.y);               // looking a little ahead
    vec3 slow = flow(ground * 0.9 + 0.4 * circle(t, 240.0), t, 0.25);
    vec2 q = ground * 4.6 / scale + 0.09 * slow.yz + 1.2 * circle(t, 300.0);
    float deep = focus * (0.92 + 0.08 * circle(t, 10.0).x) * (0.86 + 0.16 * slow.x);
    vec3 bend;
    vec2 at = q - deep * water(q, t, bend);
    at = q - deep * water(at, t, bend);
    water(at, t, bend);
    vec3 lens = deep * vec3(0.94, 1.0, 1.06);
    vec3 det = (1.0 + lens * bend.x) * (1.0 + lens * bend.y) - lens * lens * bend.z * bend.z;
    vec3 gathered = 1.0 / (abs(det) + 0.14);
    gathered = pow(gathered * 0.62, vec3(1.45));

    vec3 grain = flow(ground * vec2(5.0, 17.0) + 0.5 * slow.yz, 0.0, 1.0);  // ripples in the sand
    float dune = 0.5 + 0.5 * slow.x;
    vec3 bottom = sand.rgb * sand.rgb * (0.80 + 0.10 * grain.x + 0.05 * grain.z * 0.3);
    vec3 absorb = mix(vec3(1.0), tint.rgb * 1.15, 0.60 + 0.40 * (0.5 - 0.5 * slow.x) + 0.25 * uv.y);
    vec3 col = bottom * absorb * (0.20 + light * 0.55 * gathered);
    col += tint.rgb * tint.rgb * (0.16 + 0.14 * uv.y) * (1.1 - 0.4 * dune);
    col *= 0.50 + 0.70 * dune;
    col *= 1.1 - 0.8 * dot(uv - 0.5, uv - 0.5);
    gl_FragColor = vec4(film(col * 0.86) + dither(), 1.0);
}
