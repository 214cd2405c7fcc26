/*{
    "ISFVSN": "2",
    "DESCRIPTION": "Brushwork: every place takes the calmest of the regions around it, so that flats grow flat and outlines grow firm; the paint stands a little proud and catches light from above.",
    "CREDIT": "the perform authors, MIT; after Kuwahara 1976 with the soft sectors of Papari, Petkov and Campisi, 2007",
    "CATEGORIES": ["Filter", "Print"],
    "INPUTS": [
        {"NAME": "inputImage", "TYPE": "image"},
        {"NAME": "brush", "TYPE": "float", "DEFAULT": 5.0, "MIN": 0.5, "MAX": 12.0, "LABEL": "Size of the brush in 360ths of the height"},
        {"NAME": "firmness", "TYPE": "float", "DEFAULT": 0.7, "MIN": 0.0, "MAX": 1.0, "LABEL": "How firmly the calmest region wins"},
        {"NAME": "detail", "TYPE": "float", "DEFAULT": 0.10, "MIN": 0.0, "MAX": 1.0, "LABEL": "How much fine light of the picture remains"},
        {"NAME": "relief", "TYPE": "float", "DEFAULT": 0.35, "MIN": 0.0, "MAX": 1.0, "LABEL": "How thickly the paint lies"},
        {"NAME": "saturation", "TYPE": "float", "DEFAULT": 1.12, "MIN": 0.0, "MAX": 2.0, "LABEL": "Saturation"}
    ],
    "PASSES": [
        {"TARGET": "smaller", "WIDTH": "max($WIDTH / 2, 1)", "HEIGHT": "max($HEIGHT / 2, 1)"},
        {"TARGET": "painted", "WIDTH": "max($WIDTH / 2, 1)", "HEIGHT": "max($HEIGHT / 2, 1)"},
        {}
    ]
}*/

const vec3 LUMA = vec3(0.299, 0.587, 0.114);

vec4 premultiplied(vec2 uv) {
    vec4 c = IMG_NORM_PIXEL(inputImage, uv);
    return vec4(c.rgb * c.a, c.a);
}

void main() {
    vec2 uv = isf_FragNormCoord;
    vec2 px = 1.0 / RENDERSIZE;
    if (PASSINDEX == 0) {
        // Premultiplied up to the end, so that what is clear lends no colour; the middles of four pixels.
        vec2 d = 0.25 * px;
        vec2 e = vec2(d.x, -d.y);
        gl_FragColor = 0.25 * (premultiplied(uv + d) + premultiplied(uv - d) + premultiplied(uv + e) + premultiplied(uv - e));
    } else if (PASSINDEX == 1) {
        vec2 d = px * brush * RENDERSIZE.y / 360.0;
        vec4 sum = vec4(0.0);
        float total = 0.0;
        float sharp = mix(4.0, 10.0, firmness);
        vec4 middle = IMG_NORM_PIXEL(smaller, uv);
        // Eight sectors of five reads each, on a spiral of rings.
        for (int k = 0; k < 8; k++) {
            float a = 0.7853982 * float(k);
            vec2 u = vec2(cos(a), sin(a));
            vec2 v = vec2(-u.y, u.x);
            vec4 c0 = IMG_NORM_PIXEL(smaller, uv + d * 0.6 * u);
            vec4 c1 = IMG_NORM_PIXEL(smaller, uv + d * (1.3 * u + 0.4 * v));
            vec4 c2 = IMG_NORM_PIXEL(smaller, uv + d * (1.3 * u - 0.4 * v));
            vec4 c3 = IMG_NORM_PIXEL(smaller, uv + d * 2.1 * u);
            vec4 mean = (middle + 1.5 * c0 + c1 + c2 + c3) / 5.5;
            vec3 e0 = c0.rgb - mean.rgb, e1 = c1.rgb - mean.rgb, e2 = c2.rgb - mean.rgb, e3 = c3.rgb - mean.rgb, e4 = middle.rgb - mean.rgb;
            float spread = sqrt((dot(e4, e4) + 1.5 * dot(e0, e0) + dot(e1, e1) + dot(e2, e2) + dot(e3, e3)) / 5.5);
            float weight = 1.0 / (1e-4 + pow(22.0 * spread + 0.05, 0.8 * sharp));
            sum += mean * weight;
            total += weight;
        }
        gl_FragColor = sum / total;
    } else {
        vec4 picture = IMG_NORM_PIXEL(inputImage, uv);
        // Half a paint pixel apart in four directions: drawn back smoothly, and the slope of the paint with it.
        vec2 d = 1.1 * px;
        vec2 e = vec2(d.x, -d.y);
        vec4 ne = IMG_NORM_PIXEL(painted, uv + d), sw = IMG_NORM_PIXEL(painted, uv - d);
        vec4 se = IMG_NORM_PIXEL(painted, uv + e), nw = IMG_NORM_PIXEL(painted, uv - e);
        vec4 c = 0.25 * (ne + sw + se + nw);
        float slope = dot(sw.rgb + se.rgb - ne.rgb - nw.rgb, LUMA) + 0.5 * dot(ne.rgb + se.rgb - nw.rgb - sw.rgb, LUMA);
        c.rgb /= max(c.a, 1e-4);
        vec4 broad = IMG_NORM_PIXEL(smaller, uv);
        vec3 fine = (picture.rgb - broad.rgb / max(broad.a, 1e-4)) * picture.a;
        float v = dot(c.rgb, LUMA);
        vec3 paint = v + (c.rgb - v) * saturation;
        paint += 1.5 * detail * fine + 0.5 * relief * clamp(slope, -0.25, 0.25);
        gl_FragColor = vec4(clamp(paint, 0.0, 1.0), c.a);
    }
}
