/*{
    "ISFVSN": "2",
    "DESCRIPTION": "Light that spills: bright parts glow over five octaves and warm as they spread, as they do in film and glass.",
    "CREDIT": "the perform authors, MIT",
    "CATEGORIES": ["Filter", "Light"],
    "INPUTS": [
        {"NAME": "inputImage", "TYPE": "image"},
        {"NAME": "intensity", "TYPE": "float", "DEFAULT": 0.55, "MIN": 0.0, "MAX": 2.0, "LABEL": "How much light spills"},
        {"NAME": "threshold", "TYPE": "float", "DEFAULT": 0.55, "MIN": 0.0, "MAX": 1.0, "LABEL": "Brightness at which light begins to spill"},
        {"NAME": "spread", "TYPE": "float", "DEFAULT": 0.6, "MIN": 0.0, "MAX": 1.0, "LABEL": "From a tight gleam (0) to a wide veil (1)"},
        {"NAME": "warmth", "TYPE": "float", "DEFAULT": 0.35, "MIN": 0.0, "MAX": 1.0, "LABEL": "How warm the light turns as it spreads"}
    ],
    "PASSES": [
        {"TARGET": "bright", "WIDTH": "max($WIDTH / 2, 1)", "HEIGHT": "max($HEIGHT / 2, 1)", "FLOAT": true},
        {"TARGET": "down4", "WIDTH": "max($WIDTH / 4, 1)", "HEIGHT": "max($HEIGHT / 4, 1)", "FLOAT": true},
        {"TARGET": "down8", "WIDTH": "max($WIDTH / 8, 1)", "HEIGHT": "max($HEIGHT / 8, 1)", "FLOAT": true},
        {"TARGET": "down16", "WIDTH": "max($WIDTH / 16, 1)", "HEIGHT": "max($HEIGHT / 16, 1)", "FLOAT": true},
        {"TARGET": "down32", "WIDTH": "max($WIDTH / 32, 1)", "HEIGHT": "max($HEIGHT / 32, 1)", "FLOAT": true},
        {"TARGET": "up16", "WIDTH": "max($WIDTH / 16, 1)", "HEIGHT": "max($HEIGHT / 16, 1)", "FLOAT": true},
        {"TARGET": "up8", "WIDTH": "max($WIDTH / 8, 1)", "HEIGHT": "max($HEIGHT / 8, 1)", "FLOAT": true},
        {"TARGET": "up4", "WIDTH": "max($WIDTH / 4, 1)", "HEIGHT": "max($HEIGHT / 4, 1)", "FLOAT": true},
        {}
    ]
}*/

// What of a colour spills: a soft knee around the threshold, in a steeper (more light-like) scale.
vec3 spill(vec2 uv) {
    vec4 c = IMG_NORM_PIXEL(inputImage, uv);
    float top = max(c.r, max(c.g, c.b));
    float knee = smoothstep(threshold - 0.25, threshold + 0.45, top);
    return c.rgb * c.rgb * c.a * knee;
}

// What this pass reduces to half its size.
vec3 finer(vec2 uv) {
    if (PASSINDEX == 1) return IMG_NORM_PIXEL(bright, uv).rgb;
    if (PASSINDEX == 2 || PASSINDEX == 7) return IMG_NORM_PIXEL(down4, uv).rgb;
    if (PASSINDEX == 3 || PASSINDEX == 6) return IMG_NORM_PIXEL(down8, uv).rgb;
    return IMG_NORM_PIXEL(down16, uv).rgb;
}

// What this pass enlarges to twice its size.
vec3 coarser(vec2 uv) {
    if (PASSINDEX == 5) return IMG_NORM_PIXEL(down32, uv).rgb;
    if (PASSINDEX == 6) return IMG_NORM_PIXEL(up16, uv).rgb;
    if (PASSINDEX == 7) return IMG_NORM_PIXEL(up8, uv).rgb;
    return IMG_NORM_PIXEL(up4, uv).rgb;
}

vec3 reduced(vec2 uv, vec2 d) {
    vec2 e = vec2(d.x, -d.y);
    return 0.25 * (finer(uv + d) + finer(uv - d) + finer(uv + e) + finer(uv - e));
}

// A tent, wide enough that no pixel of the coarser picture shows.
vec3 enlarged(vec2 uv, vec2 d) {
    vec2 e = vec2(d.x, -d.y);
    return 0.25 * (coarser(uv + d) + coarser(uv - d) + coarser(uv + e) + coarser(uv - e));
}

void main() {
    vec2 uv = isf_FragNormCoord;
    vec2 d = 0.5 / RENDERSIZE;
    vec3 warm = mix(vec3(1.0), vec3(1.0, 0.80, 0.58), warmth);
    float wide = mix(0.35, 1.0, spread);
    vec3 c;
    if (PASSINDEX == 0) {
        vec2 e = vec2(d.x, -d.y);
        c = 0.25 * (spill(uv + d) + spill(uv - d) + spill(uv + e) + spill(uv - e));
    } else if (PASSINDEX < 5) {
        c = reduced(uv, d);
    } else if (PASSINDEX < 8) {
        c = finer(uv) + wide * warm * enlarged(uv, 1.5 * d);
    } else {
        vec4 picture = IMG_NORM_PIXEL(inputImage, uv);
        vec3 light = enlarged(uv, 3.0 * d) * intensity * 0.5;
        // Screen, so that nothing clips; light also shows over transparent parts.
        light = 1.0 - exp(-light);
        float alpha = max(picture.a, max(light.r, max(light.g, light.b)));
        vec3 over = picture.rgb * picture.a;
        over = over + light - over * light;
        gl_FragColor = vec4(over / max(alpha, 1e-5), alpha);
        return;
    }
    gl_FragColor = vec4(c, 1.0);
}
