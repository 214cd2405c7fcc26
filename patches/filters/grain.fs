/*{
    "ISFVSN": "2",
    "DESCRIPTION": "Film grain: soft-edged, strongest in the mid-tones, almost none in black and white, a little of it in colour, new 24 times a second.",
    "CREDIT": "the perform authors, MIT",
    "CATEGORIES": ["Filter", "Film"],
    "INPUTS": [
        {"NAME": "inputImage", "TYPE": "image"},
        {"NAME": "amount", "TYPE": "float", "DEFAULT": 0.32, "MIN": 0.0, "MAX": 1.0, "LABEL": "How much grain"},
        {"NAME": "size", "TYPE": "float", "DEFAULT": 1.0, "MIN": 0.5, "MAX": 6.0, "LABEL": "Grain size in 480ths of the height"},
        {"NAME": "colour", "TYPE": "float", "DEFAULT": 0.25, "MIN": 0.0, "MAX": 1.0, "LABEL": "How much of it is coloured"},
        {"NAME": "rate", "TYPE": "float", "DEFAULT": 24.0, "MIN": 0.0, "MAX": 60.0, "LABEL": "New grain how many times a second; 0 stands still"}
    ]
}*/

// Dave Hoskins' hash without sine: the same on every graphics card.
vec3 hash(vec3 p) {
    p = fract(p * vec3(0.1031, 0.1030, 0.0973));
    p += dot(p, p.yxz + 33.33);
    return fract((p.xxy + p.yxx) * p.zyx);
}

// Value noise with rounded cells, -1 to 1.
vec3 grains(vec2 p, float seed) {
    vec2 i = floor(p);
    vec2 f = p - i;
    f = f * f * (3.0 - 2.0 * f);
    vec3 a = hash(vec3(i, seed)), b = hash(vec3(i + vec2(1.0, 0.0), seed));
    vec3 c = hash(vec3(i + vec2(0.0, 1.0), seed)), d = hash(vec3(i + 1.0, seed));
    return 2.0 * mix(mix(a, b, f.x), mix(c, d, f.x), f.y) - 1.0;
}

void main() {
    vec4 picture = IMG_THIS_PIXEL(inputImage);
    float seed = mod(floor(TIME * rate), 977.0) + 1.0;
    // A turned, shifted lattice for each new grain, so that the eye finds no grid.
    float a = 2.399963 * seed;
    vec2 p = (isf_FragNormCoord - 0.5) * RENDERSIZE / max(size * RENDERSIZE.y / 480.0, 0.5);
    p = mat2(cos(a), -sin(a), sin(a), cos(a)) * p + 31.7 * fract(vec2(0.754877, 0.569840) * seed);
    vec3 n = grains(p + 512.0, seed) + 0.5 * grains(2.17 * p + 700.0, seed + 0.5);
    n = mix(vec3(dot(n, vec3(0.333))) * 1.6, n, colour);
    float v = dot(picture.rgb, vec3(0.299, 0.587, 0.114));
    float where_seen = 0.22 + 3.1 * v * (1.0 - v);
    vec3 c = picture.rgb + n * where_seen * amount * 0.13;
    gl_FragColor = vec4(clamp(c, 0.0, 1.0), picture.a);
}
