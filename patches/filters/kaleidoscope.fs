/*{
    "ISFVSN": "2",
    "DESCRIPTION": "Mirrors around a centre that turn slowly and breathe. The seams are true mirrors, so nothing is cut.",
    "CREDIT": "the perform authors, MIT",
    "CATEGORIES": ["Filter", "Geometry"],
    "INPUTS": [
        {"NAME": "inputImage", "TYPE": "image"},
        {"NAME": "segments", "TYPE": "float", "DEFAULT": 6.0, "MIN": 1.0, "MAX": 24.0, "LABEL": "How many pairs of mirrors (whole numbers)"},
        {"NAME": "turn", "TYPE": "float", "DEFAULT": 0.0, "MIN": -360.0, "MAX": 360.0, "LABEL": "Turn of the mirrors in degrees"},
        {"NAME": "spin", "TYPE": "float", "DEFAULT": 0.5, "MIN": -10.0, "MAX": 10.0, "LABEL": "Turns a minute of the picture behind the mirrors"},
        {"NAME": "zoom", "TYPE": "float", "DEFAULT": 1.0, "MIN": 0.2, "MAX": 4.0, "LABEL": "How near the picture is"},
        {"NAME": "breath", "TYPE": "float", "DEFAULT": 0.06, "MIN": 0.0, "MAX": 0.5, "LABEL": "How deep the zoom breathes, once in 12 seconds"},
        {"NAME": "centre", "TYPE": "point2D", "DEFAULT": [0.5, 0.5], "MIN": [0.0, 0.0], "MAX": [1.0, 1.0], "LABEL": "Which place of the picture lies in the middle"}
    ],
    "PASSES": [
        {"TARGET": "angle", "WIDTH": "1", "HEIGHT": "1", "PERSISTENT": true, "FLOAT": true},
        {}
    ]
}*/

const float TAU = 6.28318531;

void main() {
    if (PASSINDEX == 0) {
        // The turn is summed up here, so that a new speed changes the speed and not the place.
        float turned = IMG_NORM_PIXEL(angle, vec2(0.5)).r;
        gl_FragColor = vec4(fract(turned + TIMEDELTA * spin / 60.0), 0.0, 0.0, 1.0);
        return;
    }
    vec2 p = (isf_FragNormCoord - 0.5) * vec2(RENDERSIZE.x / RENDERSIZE.y, 1.0);
    float radius = length(p);
    float wedge = TAU / (2.0 * max(floor(segments + 0.5), 1.0));
    float a = atan(p.y, p.x) - radians(turn);
    a = abs(mod(a + wedge, 2.0 * wedge) - wedge);
    a += TAU * IMG_NORM_PIXEL(angle, vec2(0.5)).r;
    float near = zoom * (1.0 + breath * sin(TAU * TIME / 12.0));
    vec2 q = radius / near * vec2(cos(a), sin(a));
    vec2 uv = q * vec2(RENDERSIZE.y / RENDERSIZE.x, 1.0) + centre;
    uv = 1.0 - abs(mod(uv, 2.0) - 1.0);
    gl_FragColor = IMG_NORM_PIXEL(inputImage, uv);
}
