/*{
  "ISFVSN": "2",
  "CREDIT": "perform",
  "DESCRIPTION": "Two chemicals feed on each other and grow coral, mazes and skin (Gray-Scott), lit like wet stone.",
  "CATEGORIES": ["Generator", "Organic", "Simulation"],
  "INPUTS": [
    {"NAME": "speed", "LABEL": "Speed of growth", "TYPE": "float", "DEFAULT": 1.0, "MIN": 0.0, "MAX": 1.5},
    {"NAME": "habit", "LABEL": "From spots (0) over worms to mazes (1)", "TYPE": "float", "DEFAULT": 0.55, "MIN": 0.0, "MAX": 1.0},
    {"NAME": "wander", "LABEL": "How far the habit differs across the picture", "TYPE": "float", "DEFAULT": 0.7, "MIN": 0.0, "MAX": 1.0},
    {"NAME": "drift", "LABEL": "Slow currents that carry it", "TYPE": "float", "DEFAULT": 0.4, "MIN": 0.0, "MAX": 1.0},
    {"NAME": "gloss", "LABEL": "Wetness of the surface", "TYPE": "float", "DEFAULT": 0.5, "MIN": 0.0, "MAX": 1.0},
    {"NAME": "deep", "LABEL": "Colour of the ground", "TYPE": "color", "DEFAULT": [0.12, 0.19, 0.25, 1.0]},
    {"NAME": "flesh", "LABEL": "Colour of what grows", "TYPE": "color", "DEFAULT": [0.90, 0.72, 0.58, 1.0]},
    {"NAME": "again", "LABEL": "Sow again", "TYPE": "event"}
  ],
  "PASSES": [
    {"TARGET": "clock", "PERSISTENT": true, "FLOAT": true, "WIDTH": "1", "HEIGHT": "1"},
    {"TARGET": "dish", "PERSISTENT": true, "FLOAT": true, "WIDTH": "floor(200.0*$WIDTH/$HEIGHT)", "HEIGHT": "200"},
    {"TARGET": "dish", "PERSISTENT": true, "FLOAT": true, "WIDTH": "floor(200.0*$WIDTH/$HEIGHT)", "HEIGHT": "200"},
    {"TARGET": "dish", "PERSISTENT": true, "FLOAT": true, "WIDTH": "floor(200.0*$WIDTH/$HEIGHT)", "HEIGHT": "200"},
    {"TARGET": "dish", "PERSISTENT": true, "FLOAT": true, "WIDTH": "floor(200.0*$WIDTH/$HEIGHT)", "HEIGHT": "200"},
    {"TARGET": "dish", "PERSISTENT": true, "FLOAT": true, "WIDTH": "floor(200.0*$WIDTH/$HEIGHT)", "HEIGHT": "200"},
    {}
  ]
}*/

/* Idea   Gray and Scott's two chemicals on a dish of 200 lines, five steps a frame (fewer than 28 frames a second slow it down); feed and kill wander slowly over the dish (Pearson
          1993 has the map), so spots, worms and mazes meet and no state is final. The concentration is then read as a height and
          lit: wet stone, skin, coral. Sown with noise at about its own wavelength, so that the first frame is already alive.
   Inputs speed, habit, wander, drift, gloss, deep, flesh, again.
   Cost   5 x 9 fetches and a noise a cell (71,000 cells at 16:9, whatever the picture's size); 4 fetches and 1 noise a pixel.
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
// A cubic B-spline over the dish from four linear fetches: no lattice shows when one cell covers many pixels.
vec4 smoothly(vec2 uv) {
    vec2 size = IMG_SIZE(dish);
    vec2 q = uv * size - 0.5;
    vec2 f = fract(q);
    q -= f;
    vec2 f2 = f * f, f3 = f2 * f;
    vec2 w0 = (1.0 - f) * (1.0 - f) * (1.0 - f) / 6.0, w1 = (4.0 - 6.0 * f2 + 3.0 * f3) / 6.0;
    vec2 w3 = f3 / 6.0, w2 = 1.0 - w0 - w1 - w3;
    vec2 a = w0 + w1, b = w2 + w3;
    vec2 lo = (q - 0.5 + w1 / a) / size, hi = (q + 1.5 + w3 / b) / size;
    vec4 l = IMG_NORM_PIXEL(dish, lo) * a.x + IMG_NORM_PIXEL(dish, vec2(hi.x, lo.y)) * b.x;
    vec4 h = IMG_NORM_PIXEL(dish, vec2(lo.x, hi.y)) * a.x + IMG_NORM_PIXEL(dish, hi) * b.x;
    return l * a.y + h * b.y;
}

void main() {
    float t = beat();
    vec2 uv = isf_FragNormCoord;
    if (PASSINDEX == 0) {
        gl_FragColor = windClock();
        return;
    }
    vec2 cells = IMG_SIZE(dish);
    float aspect = cells.x / max(cells.y, 1.0);
    vec2 p = (uv - 0.5) * vec2(aspect, 1.0);
    if (PASSINDEX < 6) {
        vec3 slow = flow(p * 1.5 + 0.5 * circle(t, 240.0), t, 0.25);
        if ((FRAMEINDEX == 0 || again) && PASSINDEX == 1) {
            vec3 n = flow(p * 19.0 + 0.9 * slow.yz, 0.0, 1.0);
            float v = smoothstep(0.0, 0.7, n.x + 0.35 * slow.x);
            gl_FragColor = vec4(1.0 - 0.65 * v, 0.33 * v, 1.25 * v * (1.0 - v) * n.yz);
            return;
        }
        vec2 px = 1.0 / cells;
        float dt = min(TIMEDELTA * 30.0 * speed, 1.1);                    // as much a second at 30 frames as at 60
        dt *= clamp(float(FRAMEINDEX) / 60.0, 0.15, 1.0);                  // what was sown wakes slowly
        vec2 carry = drift * 0.014 * vec2(slow.z, -slow.y) * dt;
        vec2 at = uv - carry * px;
        vec2 c = IMG_NORM_PIXEL(dish, at).xy;
        vec2 e = IMG_NORM_PIXEL(dish, at + vec2(px.x, 0.0)).xy, w = IMG_NORM_PIXEL(dish, at - vec2(px.x, 0.0)).xy;
        vec2 u = IMG_NORM_PIXEL(dish, at + vec2(0.0, px.y)).xy, b = IMG_NORM_PIXEL(dish, at - vec2(0.0, px.y)).xy;
        vec2 l = e + w + u + b;
        vec2 d = IMG_NORM_PIXEL(dish, at + px).xy + IMG_NORM_PIXEL(dish, at - px).xy;
        d += IMG_NORM_PIXEL(dish, at + vec2(px.x, -px.y)).xy + IMG_NORM_PIXEL(dish, at + vec2(-px.x, px.y)).xy;
        vec2 lap = 0.2 * l + 0.05 * d - c;
        float h = clamp(habit + 0.45 * wander * slow.x + 0.05 * circle(t, 10.0).x, 0.0, 1.0);
        float feed = mix(0.0340, 0.0560, h), kill = mix(0.0625, 0.0618, h) - 0.0038 * (1.0 - h) * h;
        float uvv = c.x * c.y * c.y;
        vec2 grow = vec2(0.92 * lap.x - uvv + feed * (1.0 - c.x), 0.46 * lap.y + uvv - (feed + kill) * c.y);
        c += grow * dt;
        // a drop of V now and then, so that nothing dies out
        vec2 r = p - 0.42 * vec2(aspect, 1.0) * vec2(circle(t, 45.0).x, circle(t, 50.0).y);
        c.y = max(c.y, 0.30 * exp(-dot(r, r) * 2600.0) * step(0.001, dt));
        gl_FragColor = vec4(clamp(c, 0.0, 1.0), e.y - w.y, u.y - b.y);    // and the slope, for the light
        return;
    }
    vec4 c = smoothly(uv);
    float u = c.x, v = c.y;
    vec3 n = normalize(vec3(-c.zw * 3.4, 1.0));
    vec3 slow = flow(p * 0.8 + 0.3 * circle(t, 120.0), t, 0.25);
    float sway = 0.25 * circle(t, 24.0).x;
    vec3 l = normalize(vec3(-0.60 + sway, 0.62, 0.55));
    float lit = clamp(dot(n, l) * 0.8 + 0.2, 0.0, 1.0);
    lit *= lit * (0.75 + 0.55 * slow.x + 0.5 * (uv.y - uv.x) );           // one side of the dish lies in shade
    float k = smoothstep(0.05, 0.36, v);
    vec3 ground = deep.rgb * deep.rgb * (0.15 + 1.3 * u * u);
    vec3 meat = mix(flesh.rgb * flesh.rgb * vec3(0.62, 0.34, 0.28), flesh.rgb * flesh.rgb * 1.1, smoothstep(0.25, 1.0, k));
    vec3 col = mix(ground, meat, k) * (0.16 + 1.9 * max(lit, 0.0));
    float spec = clamp(dot(n, normalize(l + vec3(0.0, 0.0, 1.0))), 0.0, 1.0);
    col += gloss * vec3(0.95, 0.97, 1.0) * pow(spec, 30.0) * (0.06 + 0.5 * k) * 0.42 * clamp(0.5 + lit, 0.0, 1.0);
    col *= 1.12 - 0.9 * dot(uv - 0.5, uv - 0.5);
    gl_FragColor = vec4(film(col) + dither(), 1.0);
}
