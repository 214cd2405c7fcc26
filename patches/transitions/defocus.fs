/*{
  "ISFVSN": "2",
  "CREDIT": "perform",
  "DESCRIPTION": "Both pictures go out of focus together, and the other one comes back.",
  "CATEGORIES": ["Transition", "Blur"],
  "INPUTS": [
    {"NAME": "startImage", "LABEL": "The picture that leaves", "TYPE": "image"},
    {"NAME": "endImage", "LABEL": "The picture that comes", "TYPE": "image"},
    {"NAME": "progress", "LABEL": "How far the change has come", "TYPE": "float", "DEFAULT": 0.0, "MIN": 0.0, "MAX": 1.0},
    {"NAME": "amount", "LABEL": "How far out of focus", "TYPE": "float", "DEFAULT": 0.5, "MIN": 0.0, "MAX": 1.0},
    {"NAME": "lift", "LABEL": "Light that the blur gathers", "TYPE": "float", "DEFAULT": 0.3, "MIN": 0.0, "MAX": 1.0}
  ]
}*/

/* Idea   A focus pull: a disc of 14 samples turned by fixed noise, bright points weighing more, as through a lens.
   Inputs amount, lift.
   Cost   28 fetches a pixel.
   At progress 0 the picture is startImage and at 1 endImage, bit for bit. MIT licence. */

// Straight alpha, weighed by what it covers, so that what is clear lends no colour.
vec4 covered(vec4 c) {
    return vec4(c.rgb * c.a, c.a);
}

void main() {
    vec2 uv = isf_FragNormCoord;
    if (progress <= 0.0) {
        gl_FragColor = IMG_NORM_PIXEL(startImage, uv);
        return;
    }
    if (progress >= 1.0) {
        gl_FragColor = IMG_NORM_PIXEL(endImage, uv);
        return;
    }
    float k = progress * progress * (3.0 - 2.0 * progress);
    float open = 4.0 * k * (1.0 - k);
    vec2 r = vec2(RENDERSIZE.y / RENDERSIZE.x, 1.0) * amount * 0.09 * open;
    float turn = 6.2831853 * fract(52.9829189 * fract(dot(gl_FragCoord.xy, vec2(0.06711056, 0.00583715))));
    vec2 d = vec2(cos(turn), sin(turn));
    vec4 a = covered(IMG_NORM_PIXEL(startImage, uv)), b = covered(IMG_NORM_PIXEL(endImage, uv));
    float wa = 1.0, wb = 1.0;
    for (int i = 1; i < 14; i++) {
        vec2 o = d * sqrt(float(i) / 13.0) * r;                          // a disc, filled by the golden angle
        vec4 sa = covered(IMG_NORM_PIXEL(startImage, uv + o)), sb = covered(IMG_NORM_PIXEL(endImage, uv + o));
        float la = 1.0 + 5.0 * lift * open * dot(sa.rgb, sa.rgb), lb = 1.0 + 5.0 * lift * open * dot(sb.rgb, sb.rgb);
        a += sa * la;
        b += sb * lb;
        wa += la;
        wb += lb;
        d = mat2(-0.7373688, 0.6754903, -0.6754903, -0.7373688) * d;
    }
    vec4 col = mix(a / wa, b / wb, k);
    gl_FragColor = vec4(col.rgb / max(col.a, 1e-5), col.a);
}
