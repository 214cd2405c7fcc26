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

vec3 seen(vec2 uv) {
    vec4 c = IMG_NORM_PIXEL(inputImage, uv);
    return mix(vec3(1.0), c.rgb, c.a);
}

// How much ink of one plate lies here: the dot of this cell, as large as the plate's share of the colour there.
float ink(vec2 uv, float degrees, vec4 plate, vec2 aspect) {
    float a = radians(degrees + angle);
    mat2 turn = mat2(cos(a), -sin(a), sin(a), cos(a));
    vec2 p = turn * ((uv - 0.5) * aspect) * lines;
    vec2 middle = floor(p) + 0.5;
    vec2 q = p - middle;
    vec2 there = (middle * turn) / lines / aspect + 0.5;
    vec3 c = IMG_NORM_PIXEL(small, clamp(there, 0.0, 1.0)).rgb;
    vec3 cmy = 1.0 - c;
    float black = min(cmy.r, min(cmy.g, cmy.b));
    float under = 0.75 * colour * black;  // grey goes mostly to the black plate
    float share = dot(plate, vec4((cmy - under) * colour, mix(dot(cmy, vec3(0.299, 0.587, 0.114)), pow(black, 1.6), colour)));
    // So that a share of ink covers that share of paper: the cosine screen has few values near its ends.
    float off = clamp(1.0 - 2.0 * share, -1.0, 1.0);
    share = 0.5 - 0.5 * sign(off) * pow(abs(off), 1.57);
    // Round dots that meet as they grow; the cosine form passes from dots to holes without a jump.
    float screen = 0.5 + 0.25 * (cos(6.28318531 * q.x) + cos(6.28318531 * q.y));
    float edge = max(0.5 * softness * 0.5, 2.2 * lines / RENDERSIZE.y);
    return smoothstep(-edge, edge, share * (1.0 + 2.0 * edge) - edge - (1.0 - screen));
}

void main() {
    vec2 uv = isf_FragNormCoord;
    if (PASSINDEX == 0) {
        vec2 d = 0.25 / RENDERSIZE;
        vec2 e = vec2(d.x, -d.y);
        gl_FragColor = vec4(0.25 * (seen(uv + d) + seen(uv - d) + seen(uv + e) + seen(uv - e)), 1.0);
        return;
    }
    vec2 aspect = vec2(RENDERSIZE.x / RENDERSIZE.y, 1.0);
    vec3 c = paper.rgb;
    if (colour > 0.0) {
        c *= mix(vec3(1.0), vec3(0.98, 0.90, 0.24), ink(uv, 0.0, vec4(0.0, 0.0, 1.0, 0.0), aspect));
        c *= mix(vec3(1.0), vec3(0.86, 0.24, 0.48), ink(uv, 75.0, vec4(0.0, 1.0, 0.0, 0.0), aspect));
        c *= mix(vec3(1.0), vec3(0.16, 0.58, 0.80), ink(uv, 15.0, vec4(1.0, 0.0, 0.0, 0.0), aspect));
    }
    c *= mix(vec3(1.0), vec3(0.13, 0.13, 0.16), ink(uv, 45.0, vec4(0.0, 0.0, 0.0, 1.0), aspect));
    vec4 picture = IMG_NORM_PIXEL(inputImage, uv);
    gl_FragColor = vec4(mix(picture.rgb, c, amount), picture.a);
}
