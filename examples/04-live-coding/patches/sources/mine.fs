/*{
  "ISFVSN": "2",
  "DESCRIPTION": "Hills of light, one behind the other: a place to start from.",
  "CREDIT": "the perform authors",
  "CATEGORIES": ["generator"],
  "INPUTS": [
    {"NAME": "speed", "TYPE": "float", "DEFAULT": 0.5, "MIN": 0.0, "MAX": 2.0, "LABEL": "Speed"},
    {"NAME": "hills", "TYPE": "float", "DEFAULT": 6.0, "MIN": 2.0, "MAX": 12.0, "LABEL": "Hills"},
    {"NAME": "haze", "TYPE": "float", "DEFAULT": 0.7, "MIN": 0.0, "MAX": 1.0, "LABEL": "Haze"},
    {"NAME": "low", "TYPE": "color", "DEFAULT": [0.10, 0.13, 0.20, 1.0], "LABEL": "Near"},
    {"NAME": "high", "TYPE": "color", "DEFAULT": [0.93, 0.80, 0.66, 1.0], "LABEL": "Far"}
  ]
}*/

// Each hill is a sum of sines; the nearer it is, the faster it goes by and the darker it stands.
float ridge(float x, float n) {
    return 0.50 * sin(x * 1.3 + n * 2.1) + 0.26 * sin(x * 2.9 + n * 4.7) + 0.12 * sin(x * 6.1 + n);
}

void main() {
    vec2 p = isf_FragNormCoord;
    float aspect = RENDERSIZE.x / RENDERSIZE.y;
    vec3 color = mix(high.rgb * 1.06, high.rgb * vec3(0.62, 0.72, 0.88), smoothstep(0.55, 1.05, p.y));   // the sky
    for (int i = 0; i < 12; i++) {
        if (float(i) >= hills) break;
        float near = (float(i) + 1.0) / hills;
        float x = p.x * aspect * (2.4 - 1.2 * near) + TIME * speed * (0.05 + 0.22 * near * near);
        float top = 0.78 - 0.66 * near + 0.10 * ridge(x, float(i));
        float inside = smoothstep(1.0, -1.0, (p.y - top) * RENDERSIZE.y);
        float depth = clamp((top - p.y) * 2.2, 0.0, 1.0);
        vec3 hill = mix(high.rgb * 0.93, low.rgb, mix(near, near * near, haze));
        color = mix(color, mix(hill, high.rgb * 0.9, haze * 0.35 * depth * (1.0 - near)), inside);
    }
    gl_FragColor = vec4(color, 1.0);
}
