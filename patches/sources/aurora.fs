/*{
  "ISFVSN": "2",
  "CREDIT": "perform",
  "DESCRIPTION": "Curtains of northern light over still water and a black shore.",
  "CATEGORIES": ["Generator", "Landscape", "Light"],
  "INPUTS": [
    {"NAME": "speed", "LABEL": "Speed of everything that moves", "TYPE": "float", "DEFAULT": 1.0, "MIN": 0.0, "MAX": 4.0},
    {"NAME": "curtains", "LABEL": "How many curtains", "TYPE": "float", "DEFAULT": 0.5, "MIN": 0.0, "MAX": 1.0},
    {"NAME": "height", "LABEL": "Height of the rays", "TYPE": "float", "DEFAULT": 0.55, "MIN": 0.1, "MAX": 1.0},
    {"NAME": "light", "LABEL": "Brightness", "TYPE": "float", "DEFAULT": 1.0, "MIN": 0.0, "MAX": 2.0},
    {"NAME": "horizon", "LABEL": "Height of the horizon", "TYPE": "float", "DEFAULT": 0.27, "MIN": 0.0, "MAX": 0.7},
    {"NAME": "low", "LABEL": "Colour of the lower edge", "TYPE": "color", "DEFAULT": [0.40, 0.76, 0.58, 1.0]},
    {"NAME": "high", "LABEL": "Colour of the tips", "TYPE": "color", "DEFAULT": [0.42, 0.33, 0.56, 1.0]},
    {"NAME": "detail", "LABEL": "Samples along the height (cost)", "TYPE": "float", "DEFAULT": 24.0, "MIN": 8.0, "MAX": 32.0}
  ],
  "PASSES": [
    {"TARGET": "clock", "PERSISTENT": true, "FLOAT": true, "WIDTH": "1", "HEIGHT": "1"},
    {"TARGET": "plan", "WIDTH": "320", "HEIGHT": "320"},
    {"TARGET": "sky", "WIDTH": "floor($WIDTH*0.5)", "HEIGHT": "floor($HEIGHT*0.5)"},
    {"TARGET": "shore", "FLOAT": true, "WIDTH": "$WIDTH", "HEIGHT": "1"},
    {}
  ]
}*/

/* Idea   The curtains are drawn once, as a map seen from below (thin lines of noise where charged rain falls); the sky then looks
          up through that map at rising heights. So they hang in perspective, fold behind each other and swing, for the
          price of a texture. Below: a shore, and the same sky on water.
   Inputs speed, curtains, height, light, horizon, low, high, detail.
   Cost   a 320 x 320 map of 4 noises; `detail` fetches a half-size texel; 6 fetches and a noise a pixel.
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
// What falls on the point q of the map: the curtains' bright lines (x), and the same light spread wider (y).
vec2 rain(vec2 q, float t) {
    vec3 a = flow(q * 0.42 + 0.8 * circle(t, 300.0), t, 0.25);
    vec3 b = flow(q * 0.95 + 0.35 * a.yz + 0.3 * circle(t, 120.0).yx, t, 0.5);
    vec3 rays = flow(q * 5.5 + 1.2 * b.yz, t, 1.0);
    float line = abs(b.x + 0.22 * a.x - 0.08);
    float wide = exp(-line * 4.5);
    vec2 thin = vec2(exp(-line * 15.0) + 0.30 * wide, 0.60 * wide);
    float folk = smoothstep(0.55 - 1.1 * curtains, 0.95 - 0.7 * curtains, a.x + 0.25 * flow(q * 0.3 + 9.0, t, 0.25).x + 0.4);
    return thin * folk * (0.62 + 0.38 * rays.x);
}

void main() {
    float t = beat();
    vec2 uv = isf_FragNormCoord;
    if (PASSINDEX == 0) {
        gl_FragColor = windClock();
        return;
    }
    if (PASSINDEX == 1) {
        // x across -1..1 of the view, y from near (0) to far (1), both stretched with distance by the reader
        vec2 q = vec2((uv.x - 0.5) * 11.0, uv.y * 9.0);
        gl_FragColor = vec4(clamp(rain(q, t) * 0.8, 0.0, 1.0), 0.0, 1.0);
        return;
    }
    vec2 whole = PASSINDEX == 2 ? RENDERSIZE : IMG_SIZE(sky);        // RENDERSIZE is the pass's own; the strip has no shape
    float aspect = whole.x / max(whole.y, 1.0);
    if (PASSINDEX == 3) {
        vec2 p = vec2((uv.x - 0.5) * aspect * 1.6, 2.0);
        float h = 0.0, a = 0.55;
        for (int i = 0; i < 7; i++) {
            h += a * flow(p, 0.0, 1.0).x;
            p = mat2(1.7, 1.0, -1.0, 1.7) * p + 4.0;
            a *= 0.5;
        }
        gl_FragColor = vec4(h, 0.0, 0.0, 1.0);
        return;
    }
    float level = horizon + 0.004 * circle(t, 10.0).y;
    if (PASSINDEX == 2) {
        vec2 p = vec2((uv.x - 0.5) * aspect, uv.y - level);
        float up = abs(p.y) + 0.10;
        vec3 col = vec3(0.0);
        float noise = fract(52.9829189 * fract(dot(gl_FragCoord.xy, vec2(0.06711056, 0.00583715))));
        float steps = floor(detail);
        float aslant = length(vec2(1.0, 2.2 * p.x));                     // at the sides a step on the map goes sideways, too
        for (int i = 0; i < 32; i++) {
            if (float(i) >= steps) break;
            float k = (float(i) + noise) / steps;                      // 0 at the lower edge, 1 at the tips
            float alt = 0.85 + height * 1.5 * k * k;
            float z = alt / up;
            vec2 m = vec2(p.x * z * 0.13 + 0.5, (z - 0.9) * 0.115);
            float inside = smoothstep(0.0, 0.06, m.x) * smoothstep(1.0, 0.94, m.x) * smoothstep(1.0, 0.75, m.y) * smoothstep(0.0, 0.03, m.y);
            vec2 r = IMG_NORM_PIXEL(plan, m).rg;
            float stride = 3.1 * height * k * aslant / (steps * up);         // on the map; where it exceeds a line, the wide light is meant
            float e = mix(r.x, r.y, clamp(9.0 * stride - 0.5, 0.0, 1.0)) * inside;
            float fall = (exp(-3.4 * k) * smoothstep(0.0, 0.10, k) + 0.05 * (1.0 - k));
            vec3 tone = mix(low.rgb * low.rgb, high.rgb * high.rgb, smoothstep(0.10, 0.85, k));
            col += e * fall * tone * k * 3.0 * exp(-0.055 * z);
        }
        col *= light * (40.0 / steps) * (0.92 + 0.08 * circle(t, 9.0).y) * 0.62;
        vec3 night = mix(vec3(0.020, 0.036, 0.050), vec3(0.006, 0.011, 0.024), smoothstep(0.0, 0.55, abs(p.y)));
        gl_FragColor = vec4(sqrt(col + night) * 0.8 + 2.0 * dither(), 1.0);
        return;
    }
    float y = uv.y - level;
    float hill = 0.025 + 0.045 * IMG_NORM_PIXEL(shore, vec2(uv.x, 0.5)).x;
    vec2 ripple = vec2(0.0);
    float depth = max(-y, 0.0);
    if (y < 0.0) {
        vec3 f = flow(vec2((uv.x - 0.5) * aspect * 3.0, 9.0 * log(depth + 0.03) + 0.6 * circle(t, 60.0).x), t, 1.0);
        ripple = f.yz * vec2(0.0022, 0.010) * smoothstep(0.0, 0.06, depth);
    }
    vec2 at = y > 0.0 ? uv : vec2(uv.x + ripple.x, level + depth * 1.05 + ripple.y);
    vec2 o = vec2(0.8, 0.3) / whole;                                 // four taps melt the grain of the sky's few samples
    vec3 c = IMG_NORM_PIXEL(sky, at + o).rgb + IMG_NORM_PIXEL(sky, at - o).rgb;
    c += IMG_NORM_PIXEL(sky, at + vec2(-o.y, o.x)).rgb + IMG_NORM_PIXEL(sky, at + vec2(o.y, -o.x)).rgb;
    c /= 3.2;
    vec3 col = c * c;
    // stars behind the curtains
    vec2 cell = floor(uv * vec2(aspect, 1.0) * 46.0);
    vec2 h = hash2(cell);
    vec2 r = uv * vec2(aspect, 1.0) * 46.0 - cell - 0.15 - 0.7 * h;
    float px = 46.0 / RENDERSIZE.y;
    float mag = pow(fract(h.x * 43.0), 16.0) * (0.75 + 0.25 * sin(6.2831853 * (h.y + floor(500.0 + 400.0 * h.x) * (t / 7200.0))));
    col += step(0.0, y) * vec3(0.75, 0.82, 1.0) * mag * exp(-dot(r, r) / (px * px * 0.7 + 0.002)) * smoothstep(0.0, 0.3, y);
    if (y < 0.0) col = col * vec3(0.55, 0.62, 0.66) * (0.95 - 0.7 * smoothstep(0.0, 0.5, depth)) + vec3(0.002, 0.004, 0.006);
    float px1 = 1.2 / RENDERSIZE.y;
    float land = smoothstep(px1, -px1, abs(y + 0.002) - max(hill * (y < 0.0 ? 0.85 : 1.0), 0.004));
    vec3 earth = vec3(0.0022, 0.0030, 0.0042) + col * 0.02;
    col = mix(col, earth, land * (y < 0.0 ? 0.80 : 1.0));
    gl_FragColor = vec4(film(col) + dither(), 1.0);
}
