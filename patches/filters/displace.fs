/*{
    "ISFVSN": "2",
    "DESCRIPTION": "The picture seen through slowly flowing glass: a divergence-free field of two octaves, with a breath of dispersion at its strongest.",
    "CREDIT": "the perform authors, MIT; the field after Bridson, Curl-noise for procedural fluid flow, 2007",
    "CATEGORIES": ["Filter", "Geometry"],
    "INPUTS": [
        {"NAME": "inputImage", "TYPE": "image"},
        {"NAME": "amount", "TYPE": "float", "DEFAULT": 2.2, "MIN": 0.0, "MAX": 25.0, "LABEL": "How far things move, in hundredths of the height"},
        {"NAME": "scale", "TYPE": "float", "DEFAULT": 2.6, "MIN": 0.5, "MAX": 20.0, "LABEL": "How many waves fit the height"},
        {"NAME": "detail", "TYPE": "float", "DEFAULT": 0.45, "MIN": 0.0, "MAX": 1.0, "LABEL": "How much of the finer octave"},
        {"NAME": "speed", "TYPE": "float", "DEFAULT": 1.0, "MIN": 0.0, "MAX": 8.0, "LABEL": "Speed; at 1 the flow breathes once in about 10 seconds"},
        {"NAME": "dispersion", "TYPE": "float", "DEFAULT": 0.06, "MIN": 0.0, "MAX": 0.5, "LABEL": "How far the colours part"}
    ],
    "PASSES": [
        {"TARGET": "phase", "WIDTH": "1", "HEIGHT": "1", "PERSISTENT": true, "FLOAT": true},
        {"TARGET": "field", "WIDTH": "max($WIDTH / 4, 1)", "HEIGHT": "max($HEIGHT / 4, 1)", "FLOAT": true},
        {}
    ]
}*/

const float TAU = 6.28318531;

vec2 hash(vec2 p) {
    vec3 q = fract(vec3(p.xyx) * vec3(0.1031, 0.1030, 0.0973));
    q += dot(q, q.yzx + 33.33);
    return fract((q.xx + q.yz) * q.zy);
}

// Gradient noise whose lattice gradients turn with time, each at its own start: it boils in place and never drifts
// (Perlin and Neyret, Flow noise, 2001). Returns the noise's gradient.
vec2 slope(vec2 p, float time) {
    vec2 i = floor(p);
    vec2 f = p - i;
    vec2 u = f * f * f * (f * (f * 6.0 - 15.0) + 10.0);
    vec2 du = 30.0 * f * f * (f * (f - 2.0) + 1.0);
    vec4 start = TAU * vec4(hash(i).x, hash(i + vec2(1.0, 0.0)).x, hash(i + vec2(0.0, 1.0)).x, hash(i + 1.0).x);
    vec4 c = cos(start + TAU * time), s = sin(start + TAU * time);
    vec2 ga = vec2(c.x, s.x), gb = vec2(c.y, s.y), gc = vec2(c.z, s.z), gd = vec2(c.w, s.w);
    float a = dot(ga, f), b = dot(gb, f - vec2(1.0, 0.0)), d = dot(gc, f - vec2(0.0, 1.0)), e = dot(gd, f - 1.0);
    return ga + u.x * (gb - ga) + u.y * (gc - ga) + u.x * u.y * (ga - gb - gc + gd)
        + du * (u.yx * (a - b - d + e) + vec2(b, d) - a);
}

vec4 picture(vec2 uv) {
    return IMG_NORM_PIXEL(inputImage, 1.0 - abs(mod(uv, 2.0) - 1.0));
}

void main() {
    vec2 uv = isf_FragNormCoord;
    if (PASSINDEX == 0) {
        gl_FragColor = vec4(fract(IMG_NORM_PIXEL(phase, vec2(0.5)).r + TIMEDELTA * speed / 10.0), 0.0, 0.0, 1.0);
    } else if (PASSINDEX == 1) {
        float time = IMG_NORM_PIXEL(phase, vec2(0.5)).r;
        vec2 p = uv * vec2(RENDERSIZE.x / RENDERSIZE.y, 1.0) * scale;
        vec2 g = slope(p, time) + detail * slope(2.03 * p + 17.0, time);
        gl_FragColor = vec4(g.y, -g.x, 0.0, 1.0);
    } else {
        vec2 d = IMG_NORM_PIXEL(field, uv).rg * 0.01 * amount * vec2(RENDERSIZE.y / RENDERSIZE.x, 1.0);
        vec4 c = picture(uv + d);
        if (dispersion > 0.0) {
            vec4 red = picture(uv + d * (1.0 + dispersion)), blue = picture(uv + d * (1.0 - dispersion));
            c.r = mix(c.r, red.r, red.a);  // what is clear lends no colour
            c.b = mix(c.b, blue.b, blue.a);
        }
        gl_FragColor = c;
    }
}
