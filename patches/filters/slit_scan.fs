/*{
    "ISFVSN": "2",
    "DESCRIPTION": "Time displacement: every part of the picture is seen at another moment of the last two seconds. What stands still stays sharp, what moves bends. 36 moments live in one texture, a third of the size each; the fine detail is lent by the present.",
    "CREDIT": "the perform authors, MIT",
    "CATEGORIES": ["Filter", "Time"],
    "INPUTS": [
        {"NAME": "inputImage", "TYPE": "image"},
        {"NAME": "spread", "TYPE": "float", "DEFAULT": 0.6, "MIN": 0.0, "MAX": 1.0, "LABEL": "How far back it reaches; 1 is two seconds"},
        {"NAME": "by", "TYPE": "long", "DEFAULT": 0, "VALUES": [0, 1, 2, 3, 4], "LABELS": ["height", "width", "centre", "light", "bands"], "LABEL": "What decides how old a place is"},
        {"NAME": "reverse", "TYPE": "bool", "DEFAULT": false, "LABEL": "Old where it was new"},
        {"NAME": "sway", "TYPE": "float", "DEFAULT": 0.25, "MIN": 0.0, "MAX": 1.0, "LABEL": "How far the spread breathes, once in 8 seconds"}
    ],
    "PASSES": [
        {"TARGET": "history", "WIDTH": "max(floor($WIDTH / 3), 1) * 6", "HEIGHT": "max(floor($HEIGHT / 3), 1) * 6", "PERSISTENT": true},
        {}
    ]
}*/

// 6 x 6 tiles, one for each 1/18 s: 7200 s is a whole number of rounds, so wrapped time changes nothing.
const float RATE = 18.0;
const float SIDE = 6.0;
const float COUNT = 36.0;

vec2 in_tile(float moment, vec2 uv) {
    vec2 tile = vec2(mod(moment, SIDE), mod(floor(moment / SIDE), SIDE));
    // Half a pixel inside its border, or a neighbouring moment would bleed in.
    vec2 margin = 0.5 * SIDE / IMG_SIZE(history);
    return (tile + clamp(uv, margin, 1.0 - margin)) / SIDE;
}

// Moments are kept and mixed premultiplied, or what is clear would lend its colour to what passes over it.
vec4 seen(vec2 uv) {
    vec4 c = IMG_NORM_PIXEL(inputImage, uv);
    return vec4(c.rgb * c.a, c.a);
}

vec4 moment_at(float moment, vec2 uv) {
    return IMG_NORM_PIXEL(history, in_tile(mod(moment + COUNT, COUNT), uv));
}

void main() {
    vec2 uv = isf_FragNormCoord;
    float count = TIME * RATE;
    float newest = mod(floor(count), COUNT);
    if (PASSINDEX == 0) {
        vec2 tile = floor(uv * SIDE);
        float mine = tile.x + SIDE * tile.y;
        float age = mod(newest - mine + COUNT, COUNT);
        float fresh = floor(count) - floor(count - TIMEDELTA * RATE);  // tiles that came due since the last frame
        vec4 old = IMG_NORM_PIXEL(history, uv);
        // The newest tile, those that a late frame skipped, and, at the very start, all of them.
        bool write = age < max(fresh, 1.0) || TIMEDELTA * RATE > COUNT || FRAMEINDEX == 0;
        gl_FragColor = write ? seen(fract(uv * SIDE)) : old;
        return;
    }
    vec4 live = seen(uv);
    vec2 p = (uv - 0.5) * vec2(RENDERSIZE.x / RENDERSIZE.y, 1.0);
    float old;
    if (by == 0) old = uv.y;
    else if (by == 1) old = uv.x;
    else if (by == 2) old = clamp(1.15 * length(p), 0.0, 1.0);
    else if (by == 3) old = 1.0 - dot(moment_at(newest, uv).rgb, vec3(0.299, 0.587, 0.114));
    else old = 0.5 - 0.5 * cos(6.28318531 * 3.0 * uv.y);
    if (reverse) old = 1.0 - old;
    old *= spread * (1.0 - sway * (0.5 + 0.5 * sin(6.28318531 * TIME / 8.0)));

    // Between two moments; the one being written now counts as the present.
    float back = old * (COUNT - 2.0) + fract(count);
    float k = min(floor(back), COUNT - 2.0);
    vec4 past = mix(moment_at(newest - k, uv), moment_at(newest - k - 1.0, uv), clamp(back - k, 0.0, 1.0));
    if (old * (COUNT - 2.0) < 1.0) past = mix(moment_at(newest, uv), past, old * (COUNT - 2.0));

    vec4 present = moment_at(newest, uv);
    vec4 gap = past - present;
    float still = exp(-40.0 * dot(gap, gap));
    vec4 c = clamp(past + (live - present) * still, 0.0, 1.0);
    gl_FragColor = vec4(min(c.rgb / max(c.a, 1e-5), 1.0), c.a);
}
