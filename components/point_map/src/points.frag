#version 300 es
precision highp float;

in vec4 colour;
in float diameter;
out vec4 painted;

void main() {
  // An edge of one pixel between 0 and 1: round points without multisampling.
  float distance = length(gl_PointCoord - 0.5) * (diameter + 1.0);
  float alpha = colour.a * clamp(diameter * 0.5 + 0.5 - distance, 0.0, 1.0);
  if (alpha <= 0.0) discard;
  painted = vec4(colour.rgb * alpha, alpha);
}
