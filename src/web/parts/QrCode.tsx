// A QR code (ISO/IEC 18004, by the uqr library), drawn as one path: always dark on white, which is what cameras like.

import { useMemo } from "react";
import { encode } from "uqr";

export function QrCode({
  text,
  label,
  sizePx = 200,
  className = "",
}: {
  readonly text: string;
  readonly label: string;
  readonly sizePx?: number;
  /** May set another size. */
  readonly className?: string;
}) {
  const { size, path } = useMemo(() => {
    const { size, data } = encode(text, { ecc: "M", border: 2 });
    const cells = data.flatMap((row, y) => row.flatMap((isDark, x) => (isDark ? `M${x} ${y}h1v1h-1z` : [])));
    return { size, path: cells.join("") };
  }, [text]);
  return (
    <svg
      viewBox={`0 0 ${size} ${size}`}
      width={sizePx}
      height={sizePx}
      className={className}
      role="img"
      aria-label={label}
      shapeRendering="crispEdges"
    >
      <rect width={size} height={size} fill="#ffffff" />
      <path d={path} fill="#000000" />
    </svg>
  );
}
