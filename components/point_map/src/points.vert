#version 300 es
precision highp float;
precision highp int;
precision highp usampler2D;

layout(location = 0) in vec2 position;
layout(location = 1) in uint code;
layout(location = 2) in uint state;

uniform vec2 centre;
uniform vec2 scale;
uniform float size;
uniform float opacity;
uniform float opacityChosen;
uniform uint last;
uniform uint pass;
uniform bool dimmed;
uniform vec3 background;
uniform sampler2D palette;

out vec4 colour;
out float diameter;

const vec4 NOWHERE = vec4(2.0, 2.0, 2.0, 1.0);

void main() {
  bool chosen = (state & 1u) == 1u;
  bool hidden = (state & 2u) == 2u;
  // First pass: what is not chosen; second: what is, so that it lies above.
  if (hidden || chosen != (pass == 1u)) {
    gl_Position = NOWHERE;
    gl_PointSize = 1.0;
    return;
  }
  gl_Position = vec4((position - centre) * scale, 0.0, 1.0);
  uint at = min(code, last);
  vec3 rgb = texelFetch(palette, ivec2(int(at & 255u), int(at >> 8u)), 0).rgb;
  float alpha = opacity;
  if (dimmed && !chosen) {
    rgb = mix(background, rgb, 0.35);
    alpha *= 0.45;
  }
  if (dimmed && chosen) alpha = opacityChosen;
  colour = vec4(rgb, alpha);
  diameter = chosen && dimmed ? size * 1.15 : size;
  gl_PointSize = diameter + 1.0;
}
