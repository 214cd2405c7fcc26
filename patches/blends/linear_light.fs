/*{
    "ISFVSN": "2",
    "DESCRIPTION": "Linear burn under the top's shadows, linear dodge under its lights.",
    "CREDIT": "the perform authors, MIT",
    "CATEGORIES": ["Blend"],
    "INPUTS": [
        {"NAME": "bottom", "TYPE": "image", "LABEL": "What is below, premultiplied"},
        {"NAME": "top", "TYPE": "image", "LABEL": "What is laid on it, premultiplied"},
        {"NAME": "opacity", "TYPE": "float", "DEFAULT": 1.0, "MIN": 0.0, "MAX": 1.0, "LABEL": "How much of the top shows"}
    ]
}*/

// b + 2 s - 1, cut at black and white. Colours are not premultiplied here: b below, s above, 0..1.
vec3 blend(vec3 b, vec3 s) {
    return clamp(b + 2.0 * s - 1.0, 0.0, 1.0);
}

// Section 9.1.4 (source-over), on premultiplied pixels:
// co = cs as (1 - ab) + cb ab (1 - as) + as ab B(cb, cs),  ao = as + ab (1 - as)
void main() {
    vec4 below = IMG_THIS_PIXEL(bottom);
    vec4 above = IMG_THIS_PIXEL(top) * opacity;
    vec3 b = clamp(below.rgb / max(below.a, 1e-5), 0.0, 1.0);
    vec3 s = clamp(above.rgb / max(above.a, 1e-5), 0.0, 1.0);
    vec3 mixed = above.rgb * (1.0 - below.a) + below.rgb * (1.0 - above.a) + below.a * above.a * blend(b, s);
    gl_FragColor = vec4(mixed, above.a + below.a * (1.0 - above.a));
}
