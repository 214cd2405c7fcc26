/*{
  "ISFVSN": "2",
  "CREDIT": "perform",
  "DESCRIPTION": "A picture that swallows itself: light enters at the rim and falls inwards, cooling as it goes.",
  "CATEGORIES": ["Generator", "Feedback"],
  "INPUTS": [
    {"NAME": "speed", "LABEL": "Speed of everything that moves", "TYPE": "float", "DEFAULT": 1.0, "MIN": 0.0, "MAX": 4.0},
    {"NAME": "zoom", "LABEL": "How fast it falls inwards", "TYPE": "float", "DEFAULT": 0.5, "MIN": -1.0, "MAX": 1.5},
    {"NAME": "spin", "LABEL": "How fast it turns", "TYPE": "float", "DEFAULT": 0.25, "MIN": -1.0, "MAX": 1.0},
    {"NAME": "swirl", "LABEL": "Turbulence on the way", "TYPE": "float", "DEFAULT": 0.5, "MIN": 0.0, "MAX": 1.0},
    {"NAME": "memory", "LABEL": "How long light lives", "TYPE": "float", "DEFAULT": 0.6, "MIN": 0.0, "MAX": 1.0},
    {"NAME": "light", "LABEL": "Light that enters", "TYPE": "float", "DEFAULT": 1.0, "MIN": 0.0, "MAX": 2.0},
    {"NAME": "warm", "LABEL": "Colour that enters first", "TYPE": "color", "DEFAULT": [0.96, 0.70, 0.46, 1.0]},
    {"NAME": "cool", "LABEL": "Colour that enters second", "TYPE": "color", "DEFAULT": [0.40, 0.53, 0.64, 1.0]}
  ],
  "PASSES": [
    {"TARGET": "clock", "PERSISTENT": true, "FLOAT": true, "WIDTH": "1", "HEIGHT": "1"},
    {"TARGET": "loop", "PERSISTENT": true, "FLOAT": true, "WIDTH": "floor(360.0*$WIDTH/$HEIGHT)", "HEIGHT": "360"},
    {}
  ]
}*/

/* Idea   Video feedback without a camera: each frame looks at the last one a little larger, turned and stirred, loses some light
          (blue last, so far is cool), and takes in new light at a breathing rim. The rates are per second, so 30 and 60 frames a
          second look alike. A first frame is guessed, so that it never starts in the dark.
   Inputs speed, zoom, spin, swirl, memory, light, warm, cool.
   Cost   3 noises and 1 fetch in a 360-line buffer (2 more noises for each 30th of a second beyond the first), 1 fetch a pixel.
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
// New light at p (centre 0): threads on a bent ring.
vec3 enter(vec2 p, float t) {
    vec3 a = flow(p * 1.6 + 0.6 * circle(t, 90.0), t, 1.0);
    vec3 b = flow(p * 3.7 + 0.22 * a.yz + 5.0, t, 1.0);
    float r = length(p * vec2(0.72, 1.0));                            // wider than high, as pictures are
    float off = (r - 0.60 - 0.07 * a.x - 0.04 * circle(t, 8.0).x) * 7.0;
    float ring = exp(-off * off);
    float thread = exp(-abs(b.x) * 9.0) * smoothstep(-0.2, 0.7, a.x);
    float soft = smoothstep(0.1, 1.0, 0.5 + 0.5 * b.x);
    vec3 tone = mix(warm.rgb * warm.rgb, cool.rgb * cool.rgb, smoothstep(-0.5, 0.5, a.x + 0.5 * circle(t, 40.0).y));
    return tone * ring * (1.5 * thread + 0.22 * soft);
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
    if (PASSINDEX == 1) {
        vec3 fade = vec3(1.28, 1.04, 0.82) * mix(1.6, 0.24, memory);       // of the light there is, a second
        if (FRAMEINDEX == 0) {
            vec3 c = vec3(0.0);
            for (int i = 0; i < 9; i++) {
                float age = 0.25 + 0.5 * float(i);                        // seconds since this light came in
                float a = 0.385 * spin * age;
                vec2 q = mat2(cos(a), sin(a), -sin(a), cos(a)) * p * exp(0.42 * zoom * age);
                c += 1.2 * light * enter(q, t - age + 7200.0) * exp(-fade * age);
            }
            gl_FragColor = vec4(c, 1.0);
            return;
        }
        float dt = clamp(TIMEDELTA, 0.0, 0.1) * speed;
        vec2 eye = 0.10 * circle(t, 48.0) * vec2(1.0, 0.6) + 0.02 * circle(t, 11.25);
        vec3 f = flow(p * 2.4 + 3.0, t, 1.0);
        vec2 q = p - eye;
        float turn = spin * 0.55 * (0.7 + 0.5 * circle(t, 60.0).x);
        float grow = zoom * 0.42 * (1.0 + 0.22 * circle(t, 9.0).y);
        vec2 stir = swirl * 0.035 * vec2(f.z, -f.y);
        // A long frame takes in light at several moments, each as far inwards as it has come since, or the rim leaves copies.
        float parts = clamp(ceil(dt * 30.0 - 0.01), 1.0, 12.0);
        float h = dt / parts;
        vec3 fresh = vec3(0.0);
        for (int i = 0; i < 12; i++) {
            float age = h * float(i);
            float a = turn * age;
            vec2 then = mat2(cos(a), sin(a), -sin(a), cos(a)) * q * exp(grow * age) + eye + stir * age;
            fresh += enter(then, t - age + 7200.0) * exp(-fade * age);
            if (float(i) > parts - 1.5) break;
        }
        turn *= dt;
        q = mat2(cos(turn), sin(turn), -sin(turn), cos(turn)) * q * exp(grow * dt) + eye + stir * dt;
        vec2 at = q / vec2(aspect, 1.0) + 0.5;
        at = 1.0 - abs(1.0 - abs(at));                                    // beyond the rim it is mirrored
        vec3 old = IMG_NORM_PIXEL(loop, at).rgb;
        vec3 c = old * exp(-fade * dt) + light * fresh * h * 2.4;
        gl_FragColor = vec4(min(c, 6.0), 1.0);
        return;
    }
    vec3 c = IMG_NORM_PIXEL(loop, uv).rgb;
    c += vec3(0.005, 0.007, 0.011);
    c *= 1.15 - 0.7 * dot(uv - 0.5, uv - 0.5);
    gl_FragColor = vec4(film(c) + 2.0 * dither(), 1.0);
}
