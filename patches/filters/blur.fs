/*{
    "ISFVSN": "2",
    "DESCRIPTION": "A wide, smooth blur: reduced to a quarter in two soft steps, blurred along each axis, drawn back with a cubic. The cost hardly grows with the radius.",
    "CREDIT": "the perform authors, MIT",
    "CATEGORIES": ["Filter", "Blur"],
    "INPUTS": [
        {"NAME": "inputImage", "TYPE": "image"},
        {"NAME": "radius", "TYPE": "float", "DEFAULT": 2.0, "MIN": 0.0, "MAX": 12.0, "LABEL": "Radius in hundredths of the picture's height (two sigma)"},
        {"NAME": "amount", "TYPE": "float", "DEFAULT": 1.0, "MIN": 0.0, "MAX": 1.0, "LABEL": "From the sharp picture (0) to the blurred one (1)"}
    ],
    "PASSES": [
        {"TARGET": "smaller", "WIDTH": "max($WIDTH / 2, 1)", "HEIGHT": "max($HEIGHT / 2, 1)", "FLOAT": true},
        {"TARGET": "small", "WIDTH": "max($WIDTH / 4, 1)", "HEIGHT": "max($HEIGHT / 4, 1)", "FLOAT": true},
        {"TARGET": "across", "WIDTH": "max($WIDTH / 4, 1)", "HEIGHT": "max($HEIGHT / 4, 1)", "FLOAT": true},
        {"TARGET": "soft", "WIDTH": "max($WIDTH / 4, 1)", "HEIGHT": "max($HEIGHT / 4, 1)", "FLOAT": true},
        {}
    ]
}*/

// Inside, everything is premultiplied, so that transparent pixels lend no colour to their neighbours.
vec4 premultiplied(vec2 uv) {
    vec4 c = IMG_NORM_PIXEL(inputImage, clamp(uv, 0.0, 1.0));
    return vec4(c.rgb * c.a, c.a);
}

vec4 before(vec2 uv) {
    return PASSINDEX == 2 ? IMG_NORM_PIXEL(small, uv) : IMG_NORM_PIXEL(across, uv);
}

// One axis of a Gaussian of `sigma` texels; pairs of texels are read with one linear fetch between them.
vec4 gauss(vec2 uv, vec2 texel, float sigma) {
    vec4 sum = before(uv);
    float total = 1.0;
    float k = -0.5 / (sigma * sigma);
    for (float i = 1.0; i < 2.6 * sigma; i += 2.0) {
        float a = exp(k * i * i);
        float b = exp(k * (i + 1.0) * (i + 1.0));
        vec2 d = texel * (i + b / max(a + b, 1e-9));
        sum += (a + b) * (before(uv + d) + before(uv - d));
        total += 2.0 * (a + b);
    }
    return sum / total;
}

// A cubic B-spline from four linear fetches (Sigg and Hadwiger, GPU Gems 2, chapter 20): no stars on enlarged lights.
vec4 enlarged(vec2 uv, vec2 size) {
    vec2 p = uv * size - 0.5;
    vec2 f = fract(p);
    vec2 g = 1.0 - f;
    vec2 w0 = g * g * g / 6.0;
    vec2 w1 = (4.0 - 6.0 * f * f + 3.0 * f * f * f) / 6.0;
    vec2 w3 = f * f * f / 6.0;
    vec2 w2 = 1.0 - w0 - w1 - w3;
    vec2 lo = (floor(p) - 0.5 + w1 / (w0 + w1)) / size;
    vec2 hi = (floor(p) + 1.5 + w3 / (w2 + w3)) / size;
    vec4 below = mix(IMG_NORM_PIXEL(soft, vec2(hi.x, lo.y)), IMG_NORM_PIXEL(soft, lo), w0.x + w1.x);
    vec4 above = mix(IMG_NORM_PIXEL(soft, hi), IMG_NORM_PIXEL(soft, vec2(lo.x, hi.y)), w0.x + w1.x);
    return mix(above, below, w0.y + w1.y);
}

void main() {
    vec2 uv = isf_FragNormCoord;
    // In pixels of this pass; the two reductions blur by about 0.7 of a small pixel themselves, which is taken off.
    float sigma = 0.005 * radius * RENDERSIZE.y;
    if (PASSINDEX == 0) {
        vec2 d = 0.25 / RENDERSIZE;  // the middles of four pixels: nothing is mixed before it is premultiplied
        gl_FragColor = 0.25 * (premultiplied(uv + d) + premultiplied(uv - d)
            + premultiplied(uv + vec2(d.x, -d.y)) + premultiplied(uv + vec2(-d.x, d.y)));
    } else if (PASSINDEX == 1) {
        vec2 d = 0.5 / RENDERSIZE;
        gl_FragColor = 0.25 * (IMG_NORM_PIXEL(smaller, uv + d) + IMG_NORM_PIXEL(smaller, uv - d)
            + IMG_NORM_PIXEL(smaller, uv + vec2(d.x, -d.y)) + IMG_NORM_PIXEL(smaller, uv + vec2(-d.x, d.y)));
    } else if (PASSINDEX < 4) {
        float more = sqrt(max(sigma * sigma - 0.5, 0.04));
        gl_FragColor = gauss(uv, (PASSINDEX == 2 ? vec2(1.0, 0.0) : vec2(0.0, 1.0)) / RENDERSIZE, more);
    } else {
        vec4 sharp = IMG_NORM_PIXEL(inputImage, uv);
        sharp.rgb *= sharp.a;
        vec4 blurred = enlarged(uv, IMG_SIZE(soft));
        // Below the reduction's own blur the sharp picture fades in.
        float share = amount * smoothstep(0.0, 2.8, sigma);
        vec4 c = mix(sharp, blurred, share);
        gl_FragColor = vec4(c.rgb / max(c.a, 1e-5), c.a);
    }
}
