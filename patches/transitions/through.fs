/*{
  "ISFVSN": "2",
  "CREDIT": "perform",
  "DESCRIPTION": "We drift forward through the leaving picture and arrive in the other.",
  "CATEGORIES": ["Transition", "Zoom"],
  "INPUTS": [
    {"NAME": "startImage", "LABEL": "The picture that leaves", "TYPE": "image"},
    {"NAME": "endImage", "LABEL": "The picture that comes", "TYPE": "image"},
    {"NAME": "progress", "LABEL": "How far the change has come", "TYPE": "float", "DEFAULT": 0.0, "MIN": 0.0, "MAX": 1.0},
    {"NAME": "center", "LABEL": "Where we go through", "TYPE": "point2D", "DEFAULT": [0.5, 0.5], "MIN": [0.0, 0.0], "MAX": [1.0, 1.0]},
    {"NAME": "depth", "LABEL": "How far", "TYPE": "float", "DEFAULT": 0.5, "MIN": 0.0, "MAX": 1.0},
    {"NAME": "smear", "LABEL": "Blur of the movement", "TYPE": "float", "DEFAULT": 0.5, "MIN": 0.0, "MAX": 1.0},
    {"NAME": "roll", "LABEL": "Turn on the way", "TYPE": "float", "DEFAULT": 0.15, "MIN": -1.0, "MAX": 1.0}
  ]
}*/

/* Idea   One camera move for both pictures: quickest in the middle, where they change, with the blur that such a move has.
   Inputs center (0..1), depth, smear, roll.
   Cost   20 fetches a pixel.
   At progress 0 the picture is startImage and at 1 endImage, bit for bit. MIT licence. */

// uv seen from a camera that has moved forward by z (exponential, so that it feels even) and rolled.
vec2 seen(vec2 uv, float z, float aspect) {
    float a = roll * 0.6 * z;
    vec2 p = (uv - center) * vec2(aspect, 1.0) * exp(-z);
    p = vec2(p.x * cos(a) - p.y * sin(a), p.x * sin(a) + p.y * cos(a)) / vec2(aspect, 1.0) + center;
    return 1.0 - abs(1.0 - abs(p));                                      // beyond the frame the picture is mirrored
}

// Straight alpha, weighed by what it covers, so that what is clear lends no colour.
vec4 covered(vec4 c) {
    return vec4(c.rgb * c.a, c.a);
}

void main() {
    vec2 uv = isf_FragNormCoord;
    if (progress <= 0.0) {
        gl_FragColor = IMG_NORM_PIXEL(startImage, uv);
        return;
    }
    if (progress >= 1.0) {
        gl_FragColor = IMG_NORM_PIXEL(endImage, uv);
        return;
    }
    float aspect = RENDERSIZE.x / RENDERSIZE.y;
    float k = progress * progress * progress * (progress * (6.0 * progress - 15.0) + 10.0);
    float rate = 16.0 * progress * progress * (1.0 - progress) * (1.0 - progress);
    float far = 0.35 + 1.5 * depth;
    float step0 = smear * 0.30 * far * rate / 10.0;
    float jitter = fract(52.9829189 * fract(dot(gl_FragCoord.xy, vec2(0.06711056, 0.00583715)))) - 0.5;
    vec4 a = vec4(0.0), b = vec4(0.0);
    for (int i = 0; i < 10; i++) {
        float o = (float(i) - 4.5 + jitter) * step0;
        a += covered(IMG_NORM_PIXEL(startImage, seen(uv, far * k + o, aspect)));
        b += covered(IMG_NORM_PIXEL(endImage, seen(uv, far * (k - 1.0) * 0.6 + o, aspect)));
    }
    float r = length((uv - center) * vec2(aspect, 1.0));
    float m = smoothstep(0.0, 1.0, clamp(2.2 * k - 0.6 + (0.45 - r) * 1.1 * 4.0 * k * (1.0 - k) * 0.6, 0.0, 1.0));
    vec4 col = mix(a, b, m) / 10.0;
    gl_FragColor = vec4(col.rgb / max(col.a, 1e-5), col.a);
}
