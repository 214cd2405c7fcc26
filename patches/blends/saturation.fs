/*{
    "ISFVSN": "2",
    "DESCRIPTION": "The top's saturation on the bottom's hue and light.",
    "CREDIT": "the perform authors, MIT",
    "CATEGORIES": ["Blend"],
    "INPUTS": [
        {"NAME": "bottom", "TYPE": "image", "LABEL": "What is below, premultiplied"},
        {"NAME": "top", "TYPE": "image", "LABEL": "What is laid on it, premultiplied"},
        {"NAME": "opacity", "TYPE": "float", "DEFAULT": 1.0, "MIN": 0.0, "MAX": 1.0, "LABEL": "How much of the top shows"}
    ]
}*/

float lum(vec3 c) {
    return dot(c, vec3(0.30, 0.59, 0.11));
}

// Back into 0..1 along the line to grey, so that the luminosity stays.
vec3 clip_colour(vec3 c) {
    float l = lum(c);
    float lo = min(c.r, min(c.g, c.b));
    float hi = max(c.r, max(c.g, c.b));
    if (lo < 0.0) c = l + (c - l) * l / max(l - lo, 1e-6);
    if (hi > 1.0) c = l + (c - l) * (1.0 - l) / max(hi - l, 1e-6);
    return c;
}

vec3 set_lum(vec3 c, float l) {
    return clip_colour(c + (l - lum(c)));
}

float sat(vec3 c) {
    return max(c.r, max(c.g, c.b)) - min(c.r, min(c.g, c.b));
}

// The same order of channels, stretched so that the smallest is 0 and the largest is s; grey stays without hue.
vec3 set_sat(vec3 c, float s) {
    float range = sat(c);
    return range > 0.0 ? (c - min(c.r, min(c.g, c.b))) * (s / range) : vec3(0.0);
}

// W3C Compositing and Blending Level 1, section 10.2.2. Colours are not premultiplied here: b below, s above, 0..1.
vec3 blend(vec3 b, vec3 s) {
    return set_lum(set_sat(b, sat(s)), lum(b));
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
