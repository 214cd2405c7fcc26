/*{
  "ISFVSN": "2",
  "CREDIT": "perform",
  "DESCRIPTION": "A long swell under an open sky, seen from just above the water.",
  "CATEGORIES": ["Generator", "Landscape", "Water"],
  "INPUTS": [
    {"NAME": "speed", "LABEL": "Speed of everything that moves", "TYPE": "float", "DEFAULT": 1.0, "MIN": 0.0, "MAX": 4.0},
    {"NAME": "swell", "LABEL": "Height of the swell", "TYPE": "float", "DEFAULT": 0.8, "MIN": 0.0, "MAX": 1.5},
    {"NAME": "wind", "LABEL": "Small waves on top of it", "TYPE": "float", "DEFAULT": 0.5, "MIN": 0.0, "MAX": 0.85},
    {"NAME": "horizon", "LABEL": "Height of the horizon", "TYPE": "float", "DEFAULT": 0.66, "MIN": 0.2, "MAX": 1.2},
    {"NAME": "sun", "LABEL": "Strength of the sun on the water", "TYPE": "float", "DEFAULT": 0.6, "MIN": 0.0, "MAX": 1.5},
    {"NAME": "warmth", "LABEL": "From grey noon (0) to evening (1)", "TYPE": "float", "DEFAULT": 0.4, "MIN": 0.0, "MAX": 1.0},
    {"NAME": "detail", "LABEL": "Number of waves (cost)", "TYPE": "float", "DEFAULT": 16.0, "MIN": 6.0, "MAX": 24.0}
  ],
  "PASSES": [
    {"TARGET": "clock", "PERSISTENT": true, "FLOAT": true, "WIDTH": "1", "HEIGHT": "1"},
    {"TARGET": "above", "WIDTH": "floor($WIDTH*0.5)", "HEIGHT": "floor($HEIGHT*0.5)"},
    {}
  ]
}*/

/* Idea   A sum of sharpened sine waves that obey deep water (long ones run faster), each with a whole number of periods in
          two hours. The ray to the water is corrected three times for the height of the swell, so crests hide troughs.
          The water mirrors the sky by Fresnel's law and shows its own green where a crest is thin.
   Inputs speed, swell, wind, horizon, sun, warmth, detail.
   Cost   3 x 5 long waves to find the surface and `detail` waves for its slope a pixel; the sky at half size.
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
// Height (x) and slope (yz) of the first `count` waves at q (metres). `fine` (metres a pixel) takes out what would alias.
vec3 sea(vec2 q, float t, float count, float fine) {
    vec3 s = vec3(0.0);
    float amp = 0.40 * swell, n = 0.34;                              // n: radians a metre
    vec2 dir = vec2(0.32, 0.95);
    for (int i = 0; i < 24; i++) {
        float fi = float(i);
        if (fi >= count) break;
        float turns = floor(7200.0 * 0.42 * sqrt(n));                // deep water: w = sqrt(g k), in whole turns of 7200 s
        float phase = dot(dir, q) * n * 0.15915494 + fract(turns * (t / 7200.0)) + fi * 0.37;
        vec2 u = fract(vec2(phase, phase + 0.25)) - 0.5;
        vec2 sc = 8.0 * u - 16.0 * u * abs(u);
        sc -= 0.225 * sc * (1.0 - abs(sc));                          // sine and cosine within a thousandth
        float e = 0.5 + 0.5 * sc.x;
        float keep = amp * clamp(1.6 - n * fine, 0.0, 1.0);
        s.x += keep * (e * e - 0.375);                               // sharp crests, flat troughs
        s.yz += keep * e * sc.y * n * dir;
        q += 0.05 * s.yz;                                            // waves ride on waves
        n *= 1.27;
        amp *= i > 4 ? mix(0.66, 0.86, wind) : 0.70;
        dir = i < 4 ? mat2(0.80, -0.60, 0.60, 0.80) * dir : mat2(0.36, 0.933, -0.933, 0.36) * dir;
        if (dir.y < -0.2) dir = -dir;
    }
    return s;
}

vec3 heaven(vec2 d, vec2 sunAt) {
    float up = max(d.y, 0.0);
    vec3 zenith = mix(vec3(0.20, 0.29, 0.36), vec3(0.16, 0.22, 0.34), warmth);
    vec3 low = mix(vec3(0.66, 0.74, 0.78), vec3(1.05, 0.66, 0.42), warmth);
    vec3 c = mix(low, zenith, 1.0 - exp(-3.6 * up));
    float g = exp(-4.0 * length((d - sunAt) * vec2(1.0, 1.5)));
    return c + sun * g * mix(vec3(0.9, 0.9, 0.85), vec3(1.9, 1.0, 0.45), warmth);
}

void main() {
    float t = beat();
    if (PASSINDEX == 0) {
        gl_FragColor = windClock();
        return;
    }
    vec2 uv = isf_FragNormCoord;
    vec2 p = vec2((uv.x - 0.5) * RENDERSIZE.x / RENDERSIZE.y, uv.y);
    float level = horizon + 0.010 * circle(t, 8.0).y + 0.006 * circle(t, 12.0).x;
    p = mat2(1.0, 0.008, -0.008, 1.0) * p + vec2(0.0, 0.004 * circle(t, 10.0).x);
    vec3 sunAt = vec3(0.25 * circle(t, 600.0).x, 0.16, 0.0);
    vec2 look = vec2(p.x, p.y - level);
    if (PASSINDEX == 1) {
        float away = 1.0 / (0.22 + max(look.y, 0.0));
        vec3 broad = flow(vec2(p.x, 0.9) * vec2(0.8, 1.3) * away + circle(t, 600.0), t, 0.25);
        vec3 small = flow(vec2(p.x * 1.5, 1.9) * away + 0.15 * broad.yz, t, 0.25);
        vec3 wisp = flow(vec2(p.x * 3.4, 3.3) * away + 0.25 * small.yz, t, 0.25);
        vec3 sky = heaven(look, sunAt.xy);
        float n = broad.x + 0.5 * small.x + 0.22 * wisp.x;
        sky = mix(sky, sky * 1.2 + 0.10, 0.7 * smoothstep(-0.1, 1.0, n) * smoothstep(0.0, 0.2, look.y));
        sky *= 1.0 - 0.30 * smoothstep(0.1, -1.0, n) * smoothstep(-0.02, 0.25, look.y);
        gl_FragColor = vec4(film(sky * 0.68) + dither(), 1.0);
        return;
    }
    float eye = 2.3;                                                 // metres above the mean water
    float drop = max(-look.y, 0.002);
    float far = eye / drop;
    vec2 travel = 3.0 * circle(t, 300.0);
    float h = 0.0;
    for (int i = 0; i < 3; i++) {
        float z = (eye - h) / drop;
        float fade = exp(-z * 0.03);
        h = 0.55 * h + 0.45 * fade * sea(vec2(p.x * z, z) + travel, t, 5.0, 0.0).x;
    }
    float z = (eye - h) / drop;
    float pixel = z * z / (eye * RENDERSIZE.y);
    vec3 s = sea(vec2(p.x * z, z) + travel, t, floor(detail), pixel);
    vec3 n = normalize(vec3(-s.y, 1.0, -s.z));
    vec3 ray = normalize(vec3(p.x, look.y, 1.0));
    float facing = clamp(-dot(n, ray), 0.0, 1.0);
    float fresnel = 0.03 + 0.97 * pow(1.0 - facing, 5.0);
    vec3 r = reflect(ray, n);
    r.y = abs(r.y);
    vec3 mirror = heaven(r.xy / (0.4 + max(r.z, 0.0)), sunAt.xy);
    vec3 deep = mix(vec3(0.012, 0.050, 0.066), vec3(0.018, 0.036, 0.056), warmth);
    vec3 thin = mix(vec3(0.05, 0.20, 0.20), vec3(0.10, 0.17, 0.15), warmth);
    vec3 water = deep + thin * smoothstep(0.0, 0.9, s.x + 0.3) * (0.4 + 0.6 * facing);
    water = mix(water, mirror, fresnel * 0.9);
    vec3 sunDir = normalize(vec3(sunAt.xy, 1.0));
    float glint = pow(max(dot(r, sunDir), 0.0), 240.0);
    water += sun * glint * mix(vec3(1.5), vec3(3.0, 1.9, 1.0), warmth);
    float foam = smoothstep(0.62, 1.15, s.x * 1.1 + 0.25 * length(s.yz)) * wind;
    water = mix(water, vec3(0.75, 0.78, 0.78), 0.45 * foam * exp(-z * 0.06));
    vec3 air = heaven(vec2(look.x, 0.01), sunAt.xy);
    water = mix(air * 0.85, water, exp(-far * 0.006));
    float shore = smoothstep(-1.2, 1.2, (look.y + 0.002) * RENDERSIZE.y);
    vec3 col = mix(film(water * 0.68), IMG_NORM_PIXEL(above, uv).rgb, shore);
    col *= 1.03 - 0.3 * dot(uv - 0.5, uv - 0.5);
    gl_FragColor = vec4(col + dither(), 1.0);
}
