/** Texts that do harm wherever they are taken for markup (after OWASP's filter evasion list). */
export const HOSTILE = [
  "<script>window.hurt = true</script>",
  '<img src=x onerror="window.hurt = true">',
  '"><svg onload=window.hurt=true>',
  '<iframe src="javascript:window.hurt=true"></iframe>',
  '<a href="javascript:window.hurt=true">Ana</a>',
  "'-window.hurt=true-'",
  "{name} ${window.hurt = true} {@html '<b>'}",
  "</title><style>*{display:none}</style>",
  "</textarea><img src=x onerror=window.hurt=true>",
  "<math><mtext></mtext><mglyph><style><img src onerror=window.hurt=true>",
];
