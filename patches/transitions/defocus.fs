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
  ],
  "PASSES": [
    {"TARGET": "startSmall", "WIDTH": "max($WIDTH / 4, 1)", "HEIGHT": "max($HEIGHT / 4, 1)"},
    {"TARGET": "endSmall", "WIDTH": "max($WIDTH / 4, 1)", "HEIGHT": "max($HEIGHT / 4, 1)"},
    {"TARGET": "disc", "WIDTH": "max($WIDTH / 4, 1)", "HEIGHT": "max($HEIGHT / 4, 1)"},
    {}
  ]
}*/

/* Idea   A focus pull: both pictures a quarter the size, a disc of 90 samples over each, bright points weighing more, as through a
          lens. What is averaged before it is sampled leaves no gaps between samples: a light becomes a disc, not dots.
   Inputs amount, lift.
   Cost   27 fetches a pixel: 2 to reduce, 11 for the disc, 4 to draw it back, and 8 while the opening is small.
   At progress 0 the picture is startImage and at 1 endImage, bit for bit. MIT licence. */

// Straight alpha, weighed by what it covers, so that what is clear lends no colour.
vec4 covered(vec4 c) {
    return vec4(c.rgb * c.a, c.a);
}

// How much a point counts: through a lens, a bright one outshines its neighbours.
float weight(vec4 c, float open) {
    return 1.0 + 5.0 * lift * open * dot(c.rgb, c.rgb);
}

// Both pictures, premultiplied and weighed.
vec4 both(vec2 uv, float k) {
    return mix(covered(IMG_NORM_PIXEL(startImage, uv)), covered(IMG_NORM_PIXEL(endImage, uv)), k);
}

// A cubic B-spline from four linear fetches (Sigg and Hadwiger, GPU Gems 2, chapter 20): no stars on enlarged lights.
vec4 enlarged(vec2 uv, vec2 size) {
    vec2 p = uv * size - 0.5;
    vec2 f = fract(p);
    vec2 g = 1.0 - f;
    vec2 w0 = g * g * g / 6.0;
    vec2 w1 = (4.0 - 6.0 * f * f + 3.0 * f * f * f) / 6.0;
    vec2 w3 = f * f * f / 6.0;
    vec2 w2 = 1.0 - w0 - w1 - w3;
    vec2 lo = (floor(p) - 0.5 + w1 / (w0 + w1)) / size;
    vec2 hi = (floor(p) + 1.5 + w3 / (w2 + w3)) / size;
    vec4 below = mix(IMG_NORM_PIXEL(disc, vec2(hi.x, lo.y)), IMG_NORM_PIXEL(disc, lo), w0.x + w1.x);
    vec4 above = mix(IMG_NORM_PIXEL(disc, hi), IMG_NORM_PIXEL(disc, vec2(lo.x, hi.y)), w0.x + w1.x);
    return mix(above, below, w0.y + w1.y);
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
    if (PASSINDEX < 2) {
        vec4 sum = vec4(0.0);
        float total = 0.0;
        for (int j = 0; j < 4; j++) {
            for (int i = 0; i < 4; i++) {                                // pixel by pixel: nothing is mixed before it is weighed
                vec2 there = uv + (vec2(float(i), float(j)) - 1.5) * 0.25 / RENDERSIZE;
                vec4 c = covered(PASSINDEX == 0 ? IMG_NORM_PIXEL(startImage, there) : IMG_NORM_PIXEL(endImage, there));
                float light = weight(c, open);
                sum += c * light;
                total += light;
            }
        }
        gl_FragColor = sum / total;
    } else if (PASSINDEX == 2) {
        vec4 a = vec4(0.0), b = vec4(0.0);
        float wa = 0.0, wb = 0.0;
        vec2 d = vec2(1.0, 0.0);
        for (int i = 0; i < 90; i++) {
            vec2 o = d * sqrt((float(i) + 0.5) / 90.0) * r;              // a disc, filled by the golden angle
            vec4 sa = IMG_NORM_PIXEL(startSmall, uv + o), sb = IMG_NORM_PIXEL(endSmall, uv + o);
            float la = weight(sa, open), lb = weight(sb, open);
            a += sa * la;
            b += sb * lb;
            wa += la;
            wb += lb;
            d = mat2(-0.7373688, 0.6754903, -0.6754903, -0.7373688) * d;
        }
        gl_FragColor = mix(a / wa, b / wb, k);
    } else {
        // While the disc is smaller than the small pictures' own softness, four points of the sharp ones stand in for it.
        float wide = r.y * RENDERSIZE.y;
        vec4 col = vec4(0.0);
        if (wide < 10.0) {
            vec2 d = 0.6 * min(wide, 4.0) / RENDERSIZE, e = vec2(d.x, -d.y);
            col = 0.25 * (both(uv + d, k) + both(uv - d, k) + both(uv + e, k) + both(uv - e, k));
        }
        col = mix(col, enlarged(uv, IMG_SIZE(disc)), smoothstep(3.0, 10.0, wide));
        gl_FragColor = vec4(col.rgb / max(col.a, 1e-5), col.a);
    }
}
