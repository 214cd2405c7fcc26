/*{
    "ISFVSN": "2",
    "DESCRIPTION": "The picture in three inks: one for shadow, one for the middle, one for light, mixed evenly to the eye.",
    "CREDIT": "the perform authors, MIT; mixing space after Ottosson, Oklab, 2020",
    "CATEGORIES": ["Filter", "Colour"],
    "INPUTS": [
        {"NAME": "inputImage", "TYPE": "image"},
        {"NAME": "amount", "TYPE": "float", "DEFAULT": 0.92, "MIN": 0.0, "MAX": 1.0, "LABEL": "From the picture's colours (0) to the inks (1)"},
        {"NAME": "shadow", "TYPE": "color", "DEFAULT": [0.035, 0.060, 0.105, 1.0], "LABEL": "Shadow"},
        {"NAME": "middle", "TYPE": "color", "DEFAULT": [0.330, 0.440, 0.480, 1.0], "LABEL": "Middle"},
        {"NAME": "light", "TYPE": "color", "DEFAULT": [1.000, 0.905, 0.760, 1.0], "LABEL": "Light"},
        {"NAME": "balance", "TYPE": "float", "DEFAULT": 0.0, "MIN": -1.0, "MAX": 1.0, "LABEL": "More shadow (-1) or more light (1)"}
    ]
}*/

vec3 to_lab(vec3 c) {
    c *= c;
    vec3 m = vec3(dot(c, vec3(0.4122, 0.5363, 0.0514)), dot(c, vec3(0.2119, 0.6807, 0.1074)), dot(c, vec3(0.0883, 0.2817, 0.6300)));
    m = pow(max(m, 0.0), vec3(1.0 / 3.0));
    return vec3(dot(m, vec3(0.2105, 0.7936, -0.0041)), dot(m, vec3(1.9780, -2.4286, 0.4506)), dot(m, vec3(0.0259, 0.7828, -0.8087)));
}

vec3 from_lab(vec3 c) {
    vec3 m = vec3(dot(c, vec3(1.0, 0.3963, 0.2158)), dot(c, vec3(1.0, -0.1056, -0.0639)), dot(c, vec3(1.0, -0.0895, -1.2915)));
    m = m * m * m;
    c = vec3(dot(m, vec3(4.0767, -3.3077, 0.2310)), dot(m, vec3(-1.2684, 2.6098, -0.3413)), dot(m, vec3(-0.0042, -0.7034, 1.7076)));
    return sqrt(max(c, 0.0));
}

void main() {
    vec4 picture = IMG_THIS_PIXEL(inputImage);
    float v = clamp(dot(picture.rgb, vec3(0.299, 0.587, 0.114)), 0.0, 1.0);
    v = pow(v, exp2(-balance));
    v = mix(v, v * v * (3.0 - 2.0 * v), 0.4);  // three inks need a little more contrast than a thousand colours
    vec3 lab = v < 0.5 ? mix(to_lab(shadow.rgb), to_lab(middle.rgb), smoothstep(-0.15, 0.5, v) * 1.156 - 0.156)
                       : mix(to_lab(middle.rgb), to_lab(light.rgb), smoothstep(0.5, 1.15, v) / 0.8647);
    vec3 c = clamp(from_lab(lab), 0.0, 1.0);
    gl_FragColor = vec4(mix(picture.rgb, c, amount), picture.a);
}
