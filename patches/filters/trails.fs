/*{
    "ISFVSN": "2",
    "DESCRIPTION": "Light that lingers: what was bright stays for a while, fades at the same pace at any frame rate, and turns in hue as it goes.",
    "CREDIT": "the perform authors, MIT",
    "CATEGORIES": ["Filter", "Time"],
    "INPUTS": [
        {"NAME": "inputImage", "TYPE": "image"},
        {"NAME": "half_life", "TYPE": "float", "DEFAULT": 0.8, "MIN": 0.02, "MAX": 10.0, "LABEL": "Seconds until a trail has lost half its light"},
        {"NAME": "amount", "TYPE": "float", "DEFAULT": 0.85, "MIN": 0.0, "MAX": 1.0, "LABEL": "How much of the trails shows"},
        {"NAME": "kind", "TYPE": "long", "DEFAULT": 0, "VALUES": [0, 1, 2], "LABELS": ["light", "dark", "all"], "LABEL": "What leaves a trail"},
        {"NAME": "hue", "TYPE": "float", "DEFAULT": 14.0, "MIN": -180.0, "MAX": 180.0, "LABEL": "Degrees that the trail's hue turns in a half-life"}
    ],
    "PASSES": [
        {"TARGET": "memory", "PERSISTENT": true, "FLOAT": true},
        {}
    ]
}*/

// A turn of hue around the grey axis (Rodrigues' rotation): grey stays grey.
vec3 turned(vec3 c, float a) {
    vec3 axis = vec3(0.57735027);
    return c * cos(a) + cross(axis, c) * sin(a) + axis * dot(axis, c) * (1.0 - cos(a));
}

void main() {
    vec4 now = IMG_THIS_PIXEL(inputImage);
    now.rgb *= now.a;
    vec4 old = IMG_THIS_PIXEL(memory);
    if (PASSINDEX == 0) {
        float past = clamp(TIMEDELTA, 0.0, 1.0) / max(half_life, 0.02);
        float keep = exp2(-past);
        // The first frame, and a picture of another size, begin from what is there.
        bool empty = old.a < 0.001 && now.a > 0.0;
        old.rgb = max(turned(old.rgb, radians(hue) * past), 0.0);
        vec4 light = max(now, old * keep);
        // Dark is what a colour lacks to the white of its alpha: nothing is not dark.
        float a = max(now.a, old.a * keep);
        vec4 dark = vec4(max(a - max(now.a - now.rgb, (old.a - old.rgb) * keep), 0.0), a);
        vec4 all = mix(now, old, keep);
        gl_FragColor = empty ? now : (kind == 0 ? light : (kind == 1 ? dark : all));
    } else {
        vec4 c = mix(now, old, amount);
        gl_FragColor = vec4(c.rgb / max(c.a, 1e-5), c.a);
    }
}
