/** The page for addresses that lead nowhere. */
import { Link } from "../ui/controls";

export function NowherePage() {
  return (
    <section className="mx-auto max-w-2xl py-16 text-center" aria-labelledby="nowhere">
      <title>Not here · Unbraid</title>
      <svg viewBox="0 0 480 120" className="mx-auto w-full max-w-lg" aria-hidden="true" fill="none">
        <g strokeWidth="4" strokeLinecap="round">
          <path
            d="M10 60C90 60 90 20 160 20s70 80 130 80 50-74 92-74c22 0 34 12 42 26"
            stroke="oklch(var(--light) 0.16 350)"
          />
          <path
            d="M10 60C90 60 90 100 160 100s70-80 130-80 40 50 74 50 34-8 40-16"
            stroke="var(--accent-text)"
          />
          <path
            d="M10 60h200c60 0 90 40 130 36s44-20 58-40"
            stroke="oklch(var(--light) 0.16 245)"
          />
        </g>
        <circle cx="452" cy="66" r="5" fill="currentColor" />
      </svg>
      <h1 id="nowhere" className="mt-6 text-4xl font-bold tracking-tight">
        This thread leads nowhere
      </h1>
      <p className="mt-3 text-lg text-quiet">
        404: there is no page at this address. Perhaps a song was removed, or a letter is missing.
      </p>
      <Link
        href="/"
        className="mt-8 inline-flex min-h-11 items-center rounded-full bg-accent px-6 font-semibold text-on-accent"
      >
        To the library
      </Link>
    </section>
  );
}
