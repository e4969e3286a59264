/** The colours of every page, reports and dashboard alike: light, and dark where the reader wants it. --c0… are those of series and labels. */
export const tokenStyle = `:root { color-scheme: light dark; --back: #faf9f6; --card: #ffffff; --ink: #23211d; --soft: #6d6961; --grid: #e3e0d8;
  --tint: #e9d8d4; --limit: #b91c1c;
  --c0: #0f766e; --c1: #b45309; --c2: #6d28d9; --c3: #0369a1; --c4: #be185d; --c5: #4d7c0f; --c6: #78716c; --c7: #b91c1c; }
@media (prefers-color-scheme: dark) { :root { --back: #14161a; --card: #1d2026; --ink: #e8e6e1; --soft: #9a978f; --grid: #33373f;
  --tint: #45302f; --limit: #f87171;
  --c0: #2dd4bf; --c1: #f59e0b; --c2: #a78bfa; --c3: #38bdf8; --c4: #f472b6; --c5: #a3e635; --c6: #a8a29e; --c7: #f87171; } }
`;
