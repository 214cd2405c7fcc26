/*{
    "ISFVSN": "2",
    "DESCRIPTION": "A colourist's desk: lift, gamma and gain as colour wheels, contrast on an S that never clips, temperature, tint, saturation that spares what is saturated already. The defaults are a quiet film print; 'amount' fades it.",
    "CREDIT": "the perform authors, MIT",
    "CATEGORIES": ["Filter", "Colour"],
    "INPUTS": [
        {"NAME": "inputImage", "TYPE": "image"},
        {"NAME": "amount", "TYPE": "float", "DEFAULT": 1.0, "MIN": 0.0, "MAX": 1.0, "LABEL": "From the untouched picture (0) to the graded one (1)"},
        {"NAME": "exposure", "TYPE": "float", "DEFAULT": 0.0, "MIN": -4.0, "MAX": 4.0, "LABEL": "Exposure in stops"},
        {"NAME": "lift", "TYPE": "color", "DEFAULT": [0.487, 0.497, 0.522, 1.0], "LABEL": "Shadows; middle grey changes nothing"},
        {"NAME": "gamma", "TYPE": "color", "DEFAULT": [0.505, 0.500, 0.500, 1.0], "LABEL": "Mid-tones; middle grey changes nothing"},
        {"NAME": "gain", "TYPE": "color", "DEFAULT": [0.515, 0.500, 0.472, 1.0], "LABEL": "Lights; middle grey changes nothing"},
        {"NAME": "contrast", "TYPE": "float", "DEFAULT": 0.22, "MIN": -1.0, "MAX": 1.0, "LABEL": "Contrast around mid-grey"},
        {"NAME": "temperature", "TYPE": "float", "DEFAULT": 0.0, "MIN": -1.0, "MAX": 1.0, "LABEL": "From cold (-1) to warm (1)"},
        {"NAME": "tint", "TYPE": "float", "DEFAULT": 0.0, "MIN": -1.0, "MAX": 1.0, "LABEL": "From green (-1) to magenta (1)"},
        {"NAME": "saturation", "TYPE": "float", "DEFAULT": 1.0, "MIN": 0.0, "MAX": 2.0, "LABEL": "Saturation; 0 is grey"},
        {"NAME": "vibrance", "TYPE": "float", "DEFAULT": 0.15, "MIN": -1.0, "MAX": 1.0, "LABEL": "Saturation of what has little"}
    ]
}*/

const vec3 LUMA = vec3(0.299, 0.587, 0.114);

void main() {
    vec4 picture = IMG_THIS_PIXEL(inputImage);
    vec3 c = picture.rgb;

    // Exposure and temperature belong to light: a square is near enough to the display's curve, and cheap.
    c *= c;
    vec3 balance = vec3(1.0 + 0.35 * temperature + 0.12 * tint, 1.0 - 0.22 * tint, 1.0 - 0.40 * temperature + 0.12 * tint);
    c *= exp2(exposure) * balance / dot(balance, LUMA);
    c = sqrt(max(c, 0.0));

    // Lift moves black, gain moves white, gamma bends what is between.
    vec3 low = (lift.rgb - 0.5) * 0.8;
    vec3 high = exp2((gain.rgb - 0.5) * 2.0);
    c = c * high + low * (1.0 - c);
    c = pow(max(c, 0.0), exp2((0.5 - gamma.rgb) * 2.0));

    // The S keeps 0, a half and 1 where they are.
    vec3 x = clamp(c, 0.0, 1.0);
    vec3 curve = x * x * (3.0 - 2.0 * x);
    vec3 flat_curve = 0.5 + (x - 0.5) * 0.5;
    c = contrast >= 0.0 ? mix(x, curve, contrast) : mix(x, flat_curve, -contrast);

    float v = dot(c, LUMA);
    float chroma = max(c.r, max(c.g, c.b)) - min(c.r, min(c.g, c.b));
    c = v + (c - v) * saturation * (1.0 + vibrance * (1.0 - chroma));
    gl_FragColor = vec4(mix(picture.rgb, clamp(c, 0.0, 1.0), amount), picture.a);
}
