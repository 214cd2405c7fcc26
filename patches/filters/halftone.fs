/*{
    "ISFVSN": "2",
    "DESCRIPTION": "Four-colour print: cyan, magenta, yellow and black screens at the printer's angles, in inks a little faded, on paper.",
    "CREDIT": "the perform authors, MIT",
    "CATEGORIES": ["Filter", "Print"],
    "INPUTS": [
        {"NAME": "inputImage", "TYPE": "image"},
        {"NAME": "lines", "TYPE": "float", "DEFAULT": 72.0, "MIN": 12.0, "MAX": 240.0, "LABEL": "Dots in the picture's height"},
        {"NAME": "softness", "TYPE": "float", "DEFAULT": 0.25, "MIN": 0.0, "MAX": 1.0, "LABEL": "How softly the ink ends"},
        {"NAME": "angle", "TYPE": "float", "DEFAULT": 0.0, "MIN": -90.0, "MAX": 90.0, "LABEL": "Turn of all screens in degrees"},
        {"NAME": "colour", "TYPE": "float", "DEFAULT": 1.0, "MIN": 0.0, "MAX": 1.0, "LABEL": "From black alone (0) to four colours (1)"},
        {"NAME": "amount", "TYPE": "float", "DEFAULT": 1.0, "MIN": 0.0, "MAX": 1.0, "LABEL": "From the picture (0) to the print (1)"},
        {"NAME": "paper", "TYPE": "color", "DEFAULT": [0.955, 0.935, 0.890, 1.0], "LABEL": "Paper"}
    ],
    "PASSES": [
        {"TARGET": "small", "WIDTH": "max($WIDTH / 4, 1)", "HEIGHT": "max($HEIGHT / 4, 1)"},
        {}
    ]
}*/

const vec3 LUMA = vec3(0.299, 0.587, 0.114);

// What each ink lets through.
const vec3 CYAN = vec3(0.06, 0.64, 0.90), MAGENTA = vec3(0.88, 0.16, 0.50), YELLOW = vec3(1.0, 0.91, 0.18), BLACK = vec3(0.10, 0.10, 0.12);

vec3 seen(vec2 uv) {
    vec4 c = IMG_NORM_PIXEL(inputImage, uv);
    return mix(vec3(1.0), c.rgb, c.a);
}

// How much of the paper each ink (cyan, magenta, yellow, black) has to cover, so that all together look like c from afar:
// what lies beneath is darkened by every ink in turn (Demichel 1924), each in all colours; two rounds find them.
vec4 plates(vec3 c) {
    float light = dot(c, LUMA);
    float dark = 1.0 - max(c.r, max(c.g, c.b));
    // Black for what is dark without a colour; the three others keep the lighter greys.
    float k = mix(1.0 - light, 0.8 * dark * dark, colour) / (1.0 - BLACK.g);
    vec3 rest = clamp(mix(vec3(light), c, colour) / max(1.0 - k * (1.0 - BLACK), 0.05), 0.0, 1.0);
    vec3 a = vec3(0.0);
    for (int i = 0; i < 2; i++) {
        a.x = (1.0 - rest.r / ((1.0 - a.y * (1.0 - MAGENTA.r)) * (1.0 - a.z * (1.0 - YELLOW.r)))) / (1.0 - CYAN.r);
        a.x = clamp(a.x, 0.0, 1.0);
        a.y = (1.0 - rest.g / ((1.0 - a.x * (1.0 - CYAN.g)) * (1.0 - a.z * (1.0 - YELLOW.g)))) / (1.0 - MAGENTA.g);
        a.y = clamp(a.y, 0.0, 1.0);
        a.z = (1.0 - rest.b / ((1.0 - a.x * (1.0 - CYAN.b)) * (1.0 - a.y * (1.0 - MAGENTA.b)))) / (1.0 - YELLOW.b);
        a.z = clamp(a.z, 0.0, 1.0);
    }
    return clamp(vec4(a, k), 0.0, 1.0);
}

// How softly a dot ends, at a height of so many pixels: never harder than a pixel.
float edge(float height) {
    return max(0.25 * softness, 2.2 * lines / height);
}

// How much ink of one plate lies here: the dot of this cell, as large as the plate's share of the colour there.
float ink(vec2 uv, float degrees, vec4 plate, vec2 aspect) {
    float a = radians(degrees + angle);
    mat2 turn = mat2(cos(a), -sin(a), sin(a), cos(a));
    vec2 p = turn * ((uv - 0.5) * aspect) * lines;
    vec2 middle = floor(p) + 0.5;
    vec2 q = p - middle;
    vec2 there = (middle * turn) / lines / aspect + 0.5;
    float level = dot(plate, IMG_NORM_PIXEL(small, clamp(there, 0.0, 1.0)));
    // Round dots that meet as they grow; the cosine form passes from dots to holes without a jump.
    float screen = 0.5 + 0.25 * (cos(6.28318531 * q.x) + cos(6.28318531 * q.y));
    float e = edge(RENDERSIZE.y);
    return smoothstep(-e, e, level * (1.0 + 2.0 * e) - e - (1.0 - screen));
}

void main() {
    vec2 uv = isf_FragNormCoord;
    if (PASSINDEX == 0) {
        vec2 d = 0.25 / RENDERSIZE;
        vec2 e = vec2(d.x, -d.y);
        vec4 share = plates(0.25 * (seen(uv + d) + seen(uv - d) + seen(uv + e) + seen(uv - e)));
        // The height at which a screen is cut so that a share of ink covers that share of paper: it has few places near its
        // ends, and the fewer, the softer its dots (fitted).
        float bend = 0.33 + 0.037 / (0.09 + edge(4.0 * RENDERSIZE.y));
        vec4 low = 0.5 * pow(2.0 * min(share, 0.5), vec4(bend)), high = 1.0 - 0.5 * pow(2.0 - 2.0 * max(share, 0.5), vec4(bend));
        gl_FragColor = mix(low, high, step(0.5, share));
        return;
    }
    vec2 aspect = vec2(RENDERSIZE.x / RENDERSIZE.y, 1.0);
    vec3 c = paper.rgb;
    if (colour > 0.0) {
        c *= mix(vec3(1.0), YELLOW, ink(uv, 0.0, vec4(0.0, 0.0, 1.0, 0.0), aspect));
        c *= mix(vec3(1.0), MAGENTA, ink(uv, 75.0, vec4(0.0, 1.0, 0.0, 0.0), aspect));
        c *= mix(vec3(1.0), CYAN, ink(uv, 15.0, vec4(1.0, 0.0, 0.0, 0.0), aspect));
    }
    c *= mix(vec3(1.0), BLACK, ink(uv, 45.0, vec4(0.0, 0.0, 0.0, 1.0), aspect));
    vec4 picture = IMG_NORM_PIXEL(inputImage, uv);
    gl_FragColor = vec4(mix(picture.rgb, c, amount), picture.a);
}
