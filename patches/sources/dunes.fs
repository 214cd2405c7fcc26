/*{
  "ISFVSN": "2",
  "CREDIT": "perform",
  "DESCRIPTION": "A sea of sand in low sun: crests like knife edges, shadows that move with the light.",
  "CATEGORIES": ["Generator", "Landscape"],
  "INPUTS": [
    {"NAME": "speed", "LABEL": "Speed of everything that moves", "TYPE": "float", "DEFAULT": 1.0, "MIN": 0.0, "MAX": 4.0},
    {"NAME": "scale", "LABEL": "Size of the dunes", "TYPE": "float", "DEFAULT": 1.0, "MIN": 0.7, "MAX": 2.5},
    {"NAME": "relief", "LABEL": "Height of the dunes", "TYPE": "float", "DEFAULT": 0.7, "MIN": 0.0, "MAX": 1.1},
    {"NAME": "horizon", "LABEL": "Height of the horizon", "TYPE": "float", "DEFAULT": 0.74, "MIN": 0.4, "MAX": 1.2},
    {"NAME": "sun", "LABEL": "Where the sun stands, left (0) to right (1)", "TYPE": "float", "DEFAULT": 0.22, "MIN": 0.0, "MAX": 1.0},
    {"NAME": "haze", "LABEL": "Dust in the air", "TYPE": "float", "DEFAULT": 0.36, "MIN": 0.0, "MAX": 1.0},
    {"NAME": "sand", "LABEL": "Colour of the sand", "TYPE": "color", "DEFAULT": [0.84, 0.62, 0.44, 1.0]},
    {"NAME": "detail", "LABEL": "Steps of the ray (cost)", "TYPE": "float", "DEFAULT": 32.0, "MIN": 16.0, "MAX": 48.0}
  ],
  "PASSES": [
    {"TARGET": "clock", "PERSISTENT": true, "FLOAT": true, "WIDTH": "1", "HEIGHT": "1"},
    {"TARGET": "ground", "FLOAT": true, "WIDTH": "320", "HEIGHT": "320"},
    {"TARGET": "scene"},
    {}
  ]
}*/

/* Idea   Sand lies at an angle of repose: long slopes to windward, short ones to lee, a crest between. The height comes from
          noise folded at its zero line (the crest) and bent downwind; it is drawn once as a map, with the sun's shade in it, and
          walked by a short ray with steps that grow with distance.
   Inputs speed, scale, relief, horizon, sun, haze, sand, detail.
   Cost   a 320 x 320 map of 3 noises and 6 heights for shade; `detail` + 9 fetches, 2 noises and 4 more fetches a pixel.
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
// Height of the sand at q (dunes are about 1 apart), 0..1.
float heap(vec2 q, float t) {
    vec3 a = flow(q * 0.30 + 5.0, t, 0.02);
    vec2 w = q + 0.28 * a.yz;
    vec3 b = flow(w * vec2(0.34, 0.62), t, 0.03);
    float c = flow(w * vec2(0.80, 1.30) + vec2(0.25 * b.x, 0.5 * b.x) + 3.0, t, 0.03).x;
    float crest = 1.0 - sqrt(b.x * b.x + 0.0035);
    float small = 1.0 - sqrt(c * c + 0.012);
    return 0.58 * crest * (0.6 + 0.4 * crest) + 0.15 * small * crest + 0.20 * a.x + 0.1;
}

// Where the map holds the ground at x, z: as the eye does, it has more room for what is near.
// Beyond its sides (a picture wider than 2:1) it goes on mirrored.
vec2 chart(float x, float z) {
    float u = x / (0.5 + 2.5 * z) + 0.5;
    return vec2(1.0 - abs(1.0 - abs(u)), sqrt(max(z, 0.0) / 7.0));
}

// How high the ray is above the sand at depth z.
float over(vec3 eye, vec3 ray, float z) {
    vec3 at = eye + ray * (z / ray.z);
    float h = IMG_NORM_PIXEL(ground, chart(at.x, z)).x;
    return at.y - h * relief * (1.0 - 0.75 * smoothstep(2.0, 6.5, z));    // far dunes lie lower: fewer steps miss them
}

void main() {
    float t = beat();
    vec2 uv = isf_FragNormCoord;
    if (PASSINDEX == 0) {
        gl_FragColor = windClock();
        return;
    }
    float side = mix(-0.9, 0.9, sun) + 0.22 * circle(t, 72.0).x;
    vec3 light = normalize(vec3(side, 0.30, 0.35));
    vec2 travel = vec2(1.5, 2.4) * circle(t, 400.0);
    if (PASSINDEX == 1) {
        float deep = 7.0 * uv.y * uv.y;
        vec2 q = vec2((uv.x - 0.5) * (0.5 + 2.5 * deep), deep) / scale + travel;
        float h = heap(q, t);
        float e = 0.02;
        vec2 s = vec2(heap(q + vec2(e, 0.0), t) - h, heap(q + vec2(0.0, e), t) - h) / e;
        float shade = 1.0;
        for (int i = 1; i <= 4; i++) {
            float d = 0.16 * float(i);
            float top = heap(q + light.xz / length(light.xz) * d, t);
            shade = min(shade, 1.0 - smoothstep(0.0, 0.10, (top - h) * relief - d * light.y * 0.9));
        }
        gl_FragColor = vec4(h, s, shade);
        return;
    }
    if (PASSINDEX == 3) {
        vec2 o = vec2(0.55, 0.22) / RENDERSIZE;                        // crests are knife edges: four taps take off the burr
        vec4 c = IMG_NORM_PIXEL(scene, uv + o) + IMG_NORM_PIXEL(scene, uv - o);
        c += IMG_NORM_PIXEL(scene, uv + vec2(-o.y, o.x)) + IMG_NORM_PIXEL(scene, uv + vec2(o.y, -o.x));
        gl_FragColor = vec4(0.25 * c.rgb + dither(), 1.0);
        return;
    }
    vec2 p = vec2((uv.x - 0.5) * RENDERSIZE.x / RENDERSIZE.y, uv.y - horizon - 0.006 * circle(t, 10.0).x);
    vec3 ray = normalize(vec3(p.x, p.y, 1.05));
    vec3 eye = vec3(0.0, 1.22 + 0.03 * circle(t, 12.0).y, 0.0);
    float z = 0.35, last = 0.35, hit = 0.0, above = 1.0;
    // A ray that is near the sand creeps; where dunes are small or steep it takes shorter steps, lest it step through a crest.
    float stride = min(0.9, 0.63 * scale / max(relief, 0.1)), creep = 0.58 / detail;
    for (int i = 0; i < 48; i++) {
        if (float(i) >= floor(detail) || z > 3.5) break;
        float gap = over(eye, ray, z);
        if (gap < 0.0) {
            hit = 1.0;
            break;
        }
        above = gap;
        last = z;
        z += max(gap * stride, creep * z);
    }
    float near = last, far = z;
    for (int i = 0; i < 9; i++) {                                       // which side of the crest? Halve the last step
        if (hit < 0.5) break;
        float mid = 0.5 * (near + far);
        if (over(eye, ray, mid) < 0.0) far = mid;
        else near = mid;
    }
    if (hit > 0.5) z = far;
    if (hit < 0.5 && above < 0.035 * z) hit = 1.0;                      // ran out of steps along a crest
    float glow = exp(-2.2 * length(vec2(p.x - side * 0.8, p.y - 0.05)));
    vec3 low = vec3(0.80, 0.58, 0.44) + glow * vec3(0.75, 0.42, 0.18);
    vec3 sky = mix(low, vec3(0.20, 0.31, 0.44) + glow * vec3(0.4, 0.25, 0.15), smoothstep(0.0, 0.38, p.y));
    vec3 at = eye + ray * (z / ray.z);
    vec4 g = IMG_NORM_PIXEL(ground, chart(at.x, z));
    vec2 q = at.xz / scale;
    float fine = clamp(1.4 - z * 0.55, 0.0, 1.0);
    vec3 ripple = flow(vec2(q.x * 5.0 + 2.0 * g.x, q.y * 26.0 + 4.0 * g.x) + travel * vec2(5.0, 26.0), 0.0, 1.0);
    vec3 n = normalize(vec3(-g.y * relief - 0.02 * ripple.y * fine, 1.0, -g.z * relief - 0.05 * ripple.z * fine));
    float lit = clamp(dot(n, light) * 1.35, 0.0, 1.0) * g.w;
    vec3 base = sand.rgb * sand.rgb;
    vec3 col = base * (lit * vec3(1.90, 1.45, 1.05) + vec3(0.07, 0.10, 0.16) * (0.6 + 0.4 * n.y) + 0.10 * glow);
    float air = 1.0 - exp(-max(z - 0.6, 0.0) * (0.05 + 0.42 * haze));
    air += (0.02 + 0.16 * haze) * (0.5 + 0.5 * flow(vec2(p.x * 1.4 + 1.2 * circle(t, 48.0).x, p.y * 7.0), t, 1.5).x) * smoothstep(0.5, 2.2, z);  // sand that flies
    air = max(air, smoothstep(1.7, 3.4, z));
    col = mix(col, mix(low, sky, smoothstep(-0.02, 0.06, p.y)) * 0.97, air);
    col = mix(sky, col, hit);
    col *= 1.08 - 0.6 * dot(uv - 0.5, uv - 0.5);
    gl_FragColor = vec4(film(col * 0.56) + dither(), 1.0);
}
