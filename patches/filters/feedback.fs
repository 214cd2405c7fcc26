/*{
    "ISFVSN": "2",
    "DESCRIPTION": "A camera pointed at its own screen, tamed: light flows outward in slow rays that cool as they go, and always settles.",
    "CREDIT": "the perform authors, MIT",
    "CATEGORIES": ["Filter", "Time"],
    "INPUTS": [
        {"NAME": "inputImage", "TYPE": "image"},
        {"NAME": "amount", "TYPE": "float", "DEFAULT": 0.7, "MIN": 0.0, "MAX": 1.0, "LABEL": "How much of what was is still there"},
        {"NAME": "half_life", "TYPE": "float", "DEFAULT": 0.9, "MIN": 0.05, "MAX": 8.0, "LABEL": "Seconds until it has lost half its light"},
        {"NAME": "zoom", "TYPE": "float", "DEFAULT": 0.14, "MIN": -1.0, "MAX": 1.0, "LABEL": "How fast it flows outward (or inward), a second"},
        {"NAME": "turn", "TYPE": "float", "DEFAULT": 5.0, "MIN": -90.0, "MAX": 90.0, "LABEL": "Degrees that it turns in a second"},
        {"NAME": "hue", "TYPE": "float", "DEFAULT": 16.0, "MIN": -180.0, "MAX": 180.0, "LABEL": "Degrees that its hue turns in a second"},
        {"NAME": "centre", "TYPE": "point2D", "DEFAULT": [0.5, 0.5], "MIN": [0.0, 0.0], "MAX": [1.0, 1.0], "LABEL": "Where it flows from"}
    ],
    "PASSES": [
        {"TARGET": "memory", "PERSISTENT": true, "FLOAT": true},
        {}
    ]
}*/

vec3 turned(vec3 c, float a) {
    vec3 axis = vec3(0.57735027);
    return c * cos(a) + cross(axis, c) * sin(a) + axis * dot(axis, c) * (1.0 - cos(a));
}

void main() {
    vec2 uv = isf_FragNormCoord;
    vec4 now = IMG_NORM_PIXEL(inputImage, uv);
    now.rgb *= now.a;
    if (PASSINDEX == 0) {
        float past = clamp(TIMEDELTA, 0.0, 0.25);
        float keep = exp2(-past / max(half_life, 0.05));
        vec2 aspect = vec2(RENDERSIZE.x / RENDERSIZE.y, 1.0);
        float a = radians(turn) * past;
        vec2 p = (uv - centre) * aspect * exp(-zoom * past);
        p = mat2(cos(a), -sin(a), sin(a), cos(a)) * p;
        vec2 q = p / aspect + centre;
        vec4 old = IMG_NORM_PIXEL(memory, clamp(q, 0.0, 1.0));
        old.rgb = clamp(turned(old.rgb, radians(hue) * past), 0.0, 1.0) * keep;
        old.a *= keep;
        // The brighter wins, softly: a plain maximum would draw the outline of every ray.
        vec3 lit = max(now.rgb, old.rgb);
        vec3 soft = now.rgb + old.rgb - now.rgb * old.rgb;
        gl_FragColor = vec4(mix(lit, min(soft, max(lit, 0.96 * soft)), 0.04), max(now.a, old.a));
    } else {
        vec4 c = mix(now, IMG_NORM_PIXEL(memory, uv), amount);
        gl_FragColor = vec4(c.rgb / max(c.a, 1e-5), c.a);
    }
}
