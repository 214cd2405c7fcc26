/*{
    "ISFVSN": "2",
    "DESCRIPTION": "A few flat tones, as a screen print: light is stepped, and colour with it; cool shadows, warm lights.",
    "CREDIT": "the perform authors, MIT",
    "CATEGORIES": ["Filter", "Tone"],
    "INPUTS": [
        {"NAME": "inputImage", "TYPE": "image"},
        {"NAME": "levels", "TYPE": "float", "DEFAULT": 5.0, "MIN": 2.0, "MAX": 16.0, "LABEL": "How many tones"},
        {"NAME": "softness", "TYPE": "float", "DEFAULT": 0.12, "MIN": 0.0, "MAX": 1.0, "LABEL": "Width of a step, of the distance between steps"},
        {"NAME": "clean", "TYPE": "float", "DEFAULT": 1.6, "MIN": 0.0, "MAX": 6.0, "LABEL": "Rounds off specks up to this size, in 360ths of the height"},
        {"NAME": "tint", "TYPE": "float", "DEFAULT": 0.35, "MIN": 0.0, "MAX": 1.0, "LABEL": "Cool shadows and warm lights"},
        {"NAME": "saturation", "TYPE": "float", "DEFAULT": 1.1, "MIN": 0.0, "MAX": 2.0, "LABEL": "Saturation"}
    ]
}*/

const float HUES = 24.0;
const vec3 LUMA = vec3(0.299, 0.587, 0.114);

// To the nearest whole number. A part of the way is a slope, of half a pixel at least: the edge is smooth at any size.
vec2 stepped(vec2 x) {
    vec2 low = floor(x);
    vec2 w = clamp(max(vec2(0.5 * softness), 0.6 * fwidth(x)), 1e-3, 0.5);
    return low + smoothstep(0.5 - w, 0.5 + w, x - low);
}

void main() {
    vec2 uv = isf_FragNormCoord;
    vec2 d = clean * RENDERSIZE.y / 360.0 / RENDERSIZE;
    vec4 picture = IMG_NORM_PIXEL(inputImage, uv);
    vec3 sum = picture.rgb * max(picture.a, 1e-4);
    float total = max(picture.a, 1e-4);
    // Neighbours count as far as they are alike, and there: specks go, outlines stay, what is clear lends no colour.
    for (int i = 0; i < 6; i++) {
        float a = 1.0471976 * float(i) + 0.39;
        float r = mod(float(i), 2.0) < 0.5 ? 1.0 : 2.0;
        vec4 c = IMG_NORM_PIXEL(inputImage, uv + d * r * vec2(cos(a), sin(a)));
        vec3 gap = c.rgb - picture.rgb;
        float k = c.a * exp(-24.0 * dot(gap, gap));
        sum += k * c.rgb;
        total += k;
    }
    vec3 c = sum / total;
    float v = clamp(dot(c, LUMA), 0.0, 1.0);
    // Steps are even in a scale with more room for shadows, as the eye has.
    float n = max(levels - 1.0, 1.0);
    float tone = stepped(vec2(sqrt(v) * n)).x / n;
    tone *= tone;

    // How strong a colour is has steps like that, and so has the hue: the tone is flat through and through.
    vec2 cast = (c - v).br * saturation * mix(1.0, tone / max(v, 0.03), 0.6);
    float most = n + 4.0;
    // A quarter of the way round the hues is a whole number: along a diamond, which costs less than along a circle.
    float along = cast.x / (abs(cast.x) + abs(cast.y) + 1e-5);
    float turn = cast.y < 0.0 ? 3.0 + along : 1.0 - along;
    vec2 s = stepped(vec2(sqrt(length(cast)) * most, turn * HUES / 4.0)) / vec2(most, HUES / 4.0);
    along = abs(s.y - 2.0) - 1.0;
    cast = vec2(along, (1.0 - abs(along)) * (s.y < 2.0 ? 1.0 : -1.0));
    cast *= s.x * s.x * inversesqrt(dot(cast, cast));
    vec3 hue = vec3(cast.y, -dot(cast, LUMA.br) / LUMA.g, cast.x);

    vec3 shade = mix(vec3(0.055, 0.065, 0.120), vec3(0.985, 0.955, 0.890), tone);
    vec3 result = mix(vec3(tone), shade, tint) + hue;
    gl_FragColor = vec4(clamp(result, 0.0, 1.0), picture.a);
}
