/*{
    "ISFVSN": "2",
    "DESCRIPTION": "A few flat tones, as a screen print: light is stepped and hue kept; cool shadows, warm lights.",
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

const vec3 LUMA = vec3(0.299, 0.587, 0.114);

void main() {
    vec2 uv = isf_FragNormCoord;
    vec2 d = clean * RENDERSIZE.y / 360.0 / RENDERSIZE;
    vec4 picture = IMG_NORM_PIXEL(inputImage, uv);
    vec3 sum = picture.rgb;
    float total = 1.0;
    // Neighbours count as far as they are alike: specks go, outlines stay.
    for (int i = 0; i < 8; i++) {
        float a = 0.7853982 * float(i) + 0.39;
        float r = mod(float(i), 2.0) < 0.5 ? 1.0 : 2.0;
        vec3 c = IMG_NORM_PIXEL(inputImage, uv + d * r * vec2(cos(a), sin(a))).rgb;
        vec3 gap = c - picture.rgb;
        float k = exp(-24.0 * dot(gap, gap));
        sum += k * c;
        total += k;
    }
    vec3 c = sum / total;
    float v = clamp(dot(c, LUMA), 0.0, 1.0);
    // Steps are even in a scale with more room for shadows, as the eye has.
    float n = max(levels - 1.0, 1.0);
    float x = sqrt(v) * n;
    float low = floor(x);
    float w = max(0.5 * softness, 0.6 * fwidth(x));
    float stepped = (low + smoothstep(0.5 - w, 0.5 + w, x - low)) / n;
    float tone = stepped * stepped;

    vec3 hue = (c - v) * saturation * mix(1.0, tone / max(v, 0.03), 0.6);
    vec3 shade = mix(vec3(0.055, 0.065, 0.120), vec3(0.985, 0.955, 0.890), tone);
    vec3 result = mix(vec3(tone), shade, tint) + hue;
    gl_FragColor = vec4(clamp(result, 0.0, 1.0), picture.a);
}
