/*{
  "ISFVSN": "2",
  "DESCRIPTION": "Bars of the spectrum, and the wave across them.",
  "CREDIT": "the perform authors",
  "CATEGORIES": ["generator", "audio"],
  "INPUTS": [
    {"NAME": "wave", "TYPE": "audio"},
    {"NAME": "spectrum", "TYPE": "audioFFT"},
    {"NAME": "glow", "TYPE": "float", "DEFAULT": 0.3, "MIN": 0.0, "MAX": 1.0}
  ]
}*/
void main() {
    vec2 uv = isf_FragNormCoord;
    float bar = (floor(uv.x * 48.0) + 0.5) / 48.0;
    float loud = sqrt(IMG_NORM_PIXEL(spectrum, vec2(bar * bar * 0.5, 0.25)).r);
    float inside = smoothstep(0.1, 0.2, abs(fract(uv.x * 48.0) - 0.5) * -1.0 + 0.5) * step(uv.y, 0.05 + 0.9 * loud);
    float line = smoothstep(0.015, 0.0, abs(uv.y - IMG_NORM_PIXEL(wave, vec2(uv.x, 0.25)).r));
    vec3 color = mix(vec3(0.1, 0.4, 0.9), vec3(1.0, 0.5, 0.2), uv.y) * inside * (0.5 + glow);
    gl_FragColor = vec4(color + line * vec3(0.9), 1.0);
}
