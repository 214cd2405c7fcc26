/*{
  "ISFVSN": "2",
  "CREDIT": "perform",
  "DESCRIPTION": "Ink let into still water: it hangs, rolls up and thins to smoke.",
  "CATEGORIES": ["Generator", "Water", "Simulation"],
  "INPUTS": [
    {"NAME": "speed", "LABEL": "Speed of everything that moves", "TYPE": "float", "DEFAULT": 1.0, "MIN": 0.0, "MAX": 4.0},
    {"NAME": "pour", "LABEL": "How much ink flows in", "TYPE": "float", "DEFAULT": 0.6, "MIN": 0.0, "MAX": 1.5},
    {"NAME": "curl", "LABEL": "How much the water turns", "TYPE": "float", "DEFAULT": 0.6, "MIN": 0.0, "MAX": 1.5},
    {"NAME": "sink", "LABEL": "How fast the ink sinks (or rises)", "TYPE": "float", "DEFAULT": 0.5, "MIN": -1.0, "MAX": 1.0},
    {"NAME": "clear", "LABEL": "How fast the water clears", "TYPE": "float", "DEFAULT": 0.35, "MIN": 0.0, "MAX": 1.0},
    {"NAME": "ink", "LABEL": "Colour of the ink", "TYPE": "color", "DEFAULT": [0.10, 0.14, 0.24, 1.0]},
    {"NAME": "paper", "LABEL": "Colour of the water", "TYPE": "color", "DEFAULT": [0.90, 0.88, 0.83, 1.0]},
    {"NAME": "again", "LABEL": "Start again with clear water", "TYPE": "event"}
  ],
  "PASSES": [
    {"TARGET": "clock", "PERSISTENT": true, "FLOAT": true, "WIDTH": "1", "HEIGHT": "1"},
    {"TARGET": "dye", "PERSISTENT": true, "FLOAT": true, "WIDTH": "floor(320.0*$WIDTH/$HEIGHT)", "HEIGHT": "320"},
    {}
  ]
}*/

/* Idea   Dye carried by a flow that cannot pile up (the curl of two noises, the finer riding on the coarser) plus its own
          weight: dense ink falls faster, which rolls the plumes into mushrooms. It is fetched by a cubic, so the threads
          stay thin. Three drops wander above and let go in turn. A first frame is guessed, never blank.
   Inputs speed, pour, curl, sink, clear, ink, paper, again.
   Cost   3 noises and 10 fetches in a 320-line buffer; 5 fetches and 1 noise a pixel.
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
// Where the water goes at p, in picture heights a second.
vec2 stream(vec2 p, float t) {
    vec3 a = flow(p * 1.5 + 0.5 * circle(t, 120.0), t, 0.5);
    vec3 b = flow(p * 4.0 + 0.15 * a.yz, t, 1.0);
    vec3 c = flow(p * 9.5 + 0.10 * b.yz, t, 1.0);
    vec2 s = 0.030 * a.yz + 0.020 * b.yz + 0.009 * c.yz;
    return curl * vec2(s.y, -s.x);
}

// Ink that drops in at p, a second.
float drops(vec2 p, float t, float aspect) {
    float d = 0.0;
    for (int i = 0; i < 3; i++) {
        float k = float(i);
        float period = i == 0 ? 12.0 : i == 1 ? 9.0 : 15.0;
        float rest = fract(t / period + 0.31 * k);
        float open = smoothstep(0.0, 0.25, rest) * smoothstep(0.75, 0.35, rest);
        vec2 at = vec2((0.30 * k - 0.30) * aspect * 0.9 + 0.14 * circle(t, 72.0 + 4.0 * k + 4.0 * k * k).x, 0.24 * (sink < 0.0 ? -1.0 : 1.0));
        at += vec2(0.05, 0.07) * circle(t, 36.0 - 6.0 * k);
        vec2 r = p - at;
        d += open * exp(-dot(r, r) * 420.0);
    }
    return d;
}

// The dye at uv by Catmull-Rom (five linear fetches): carrying it a thousand times hardly blurs it.
float carried(vec2 uv) {
    vec2 size = RENDERSIZE;
    vec2 q = uv * size;
    vec2 c = floor(q - 0.5) + 0.5;
    vec2 f = q - c;
    vec2 w0 = f * (-0.5 + f * (1.0 - 0.5 * f)), w1 = 1.0 + f * f * (1.5 * f - 2.5);
    vec2 w2 = f * (0.5 + f * (2.0 - 1.5 * f)), w3 = f * f * (0.5 * f - 0.5);
    vec2 w = w1 + w2;
    vec2 mid = (c + w2 / w) / size, lo = (c - 1.0) / size, hi = (c + 2.0) / size;
    float s = IMG_NORM_PIXEL(dye, mid).x * w.x * w.y;
    s += IMG_NORM_PIXEL(dye, vec2(mid.x, lo.y)).x * w.x * w0.y + IMG_NORM_PIXEL(dye, vec2(mid.x, hi.y)).x * w.x * w3.y;
    s += IMG_NORM_PIXEL(dye, vec2(lo.x, mid.y)).x * w0.x * w.y + IMG_NORM_PIXEL(dye, vec2(hi.x, mid.y)).x * w3.x * w.y;
    return max(s / (w.x * w.y + w.x * (w0.y + w3.y) + w.y * (w0.x + w3.x)), 0.0);
}

void main() {
    float t = beat();
    if (PASSINDEX == 0) {
        gl_FragColor = windClock();
        return;
    }
    vec2 uv = isf_FragNormCoord;
    float aspect = RENDERSIZE.x / RENDERSIZE.y;
    vec2 shape = vec2(aspect, 1.0);
    vec2 p = (uv - 0.5) * shape;
    if (PASSINDEX == 1) {
        if (FRAMEINDEX == 0 || again) {
            // guess a history: follow the water back from here and see which drops lie there
            float d = 0.0;
            vec2 q = p;
            for (int i = 0; i < 12; i++) {
                q -= stream(q, t) * 0.55 - vec2(0.0, 0.022 * sink);
                d += drops(q, t - 0.6 * float(i) + 7200.0, aspect) * (again ? 0.0 : 0.5);
            }
            gl_FragColor = vec4(d, d, 0.0, 1.0);
            return;
        }
        float dt = clamp(TIMEDELTA, 0.0, 0.1) * speed;
        vec2 px = 1.0 / RENDERSIZE;
        vec4 here = IMG_NORM_PIXEL(dye, uv);
        float weight = clamp(here.y, 0.0, 1.5);
        vec2 v = stream(p, t) - vec2(0.0, sink * (0.008 + 0.045 * weight));
        vec2 at = uv - v * dt / shape;
        float d = carried(at);
        float n = IMG_NORM_PIXEL(dye, uv + vec2(2.0 * px.x, 0.0)).x + IMG_NORM_PIXEL(dye, uv - vec2(2.0 * px.x, 0.0)).x;
        n += IMG_NORM_PIXEL(dye, uv + vec2(0.0, 2.0 * px.y)).x + IMG_NORM_PIXEL(dye, uv - vec2(0.0, 2.0 * px.y)).x;
        d = d * exp(-dt * (0.012 + 0.16 * clear * (0.35 + 0.65 * smoothstep(0.0, -0.5, p.y * sign(sink + 0.001))))) + dt * pour * 1.7 * drops(p, t, aspect);
        // y: the same ink, smoothed: weight is shared with the water around it
        float w = mix(here.y, (n + 2.0 * here.x) / 6.0, clamp(4.0 * dt, 0.0, 1.0));
        gl_FragColor = vec4(clamp(d, 0.0, 3.0), clamp(w, 0.0, 3.0), 0.0, 1.0);
        return;
    }
    vec2 px = 1.0 / IMG_SIZE(dye);
    vec2 wob = 0.0012 * flow(p * 3.0, t, 1.0).yz / shape;
    float d = IMG_NORM_PIXEL(dye, uv + wob).x;
    float dx = IMG_NORM_PIXEL(dye, uv + wob + vec2(1.5 * px.x, 0.0)).x - IMG_NORM_PIXEL(dye, uv + wob - vec2(1.5 * px.x, 0.0)).x;
    float dy = IMG_NORM_PIXEL(dye, uv + wob + vec2(0.0, 1.5 * px.y)).x - IMG_NORM_PIXEL(dye, uv + wob - vec2(0.0, 1.5 * px.y)).x;
    vec3 water = paper.rgb * paper.rgb * (1.08 - 0.30 * length(p - vec2(-0.25, 0.30)));
    vec3 k = -log(clamp(ink.rgb * ink.rgb * 1.2, 0.003, 0.98));
    vec3 col = water * exp(-k * d * 1.15);
    col += vec3(0.18, 0.20, 0.24) * clamp(0.5 * dx - 0.5 * dy, -0.3, 0.5) * exp(-1.5 * d);    // a little light on the plume's edge
    gl_FragColor = vec4(film(col * 1.15) + dither(), 1.0);
}
