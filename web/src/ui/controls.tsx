/** Buttons and links as the studio has them. */
import type { AnchorHTMLAttributes, ButtonHTMLAttributes, MouseEvent } from "react";
import { go } from "../route";
import { classes } from "../text";
import { Icon, type IconName } from "./icons";

const KINDS = {
  main: "bg-accent text-on-accent font-semibold hover:brightness-110 active:brightness-95",
  plain: "border border-edge bg-raised hover:bg-lifted font-medium",
  quiet: "text-quiet hover:text-text hover:bg-lifted",
  bad: "border border-edge bg-raised text-bad hover:bg-lifted font-medium",
};

type ButtonProps = ButtonHTMLAttributes<HTMLButtonElement> & {
  kind?: keyof typeof KINDS;
  icon?: IconName;
};

const SHAPE =
  "inline-flex min-h-10 items-center justify-center gap-2 rounded-full px-4 text-[0.9375rem] transition-[background-color,color,filter] disabled:opacity-50";

export function Button({ kind = "plain", icon, className, children, ...rest }: ButtonProps) {
  return (
    <button type="button" className={classes(SHAPE, KINDS[kind], className)} {...rest}>
      {icon && <Icon name={icon} />}
      {children}
    </button>
  );
}

export function IconButton({
  icon,
  label,
  className,
  ...rest
}: ButtonHTMLAttributes<HTMLButtonElement> & { icon: IconName; label: string }) {
  return (
    <button
      type="button"
      aria-label={label}
      title={label}
      className={classes(
        "grid size-9 shrink-0 place-items-center rounded-full text-quiet transition-colors hover:bg-lifted hover:text-text aria-pressed:bg-accent aria-pressed:text-on-accent disabled:opacity-40",
        className,
      )}
      {...rest}
    >
      <Icon name={icon} />
    </button>
  );
}

/** A link within the studio. */
export function Link({
  href,
  onClick,
  ...rest
}: AnchorHTMLAttributes<HTMLAnchorElement> & { href: string }) {
  const follow = (event: MouseEvent<HTMLAnchorElement>) => {
    onClick?.(event);
    if (
      event.defaultPrevented ||
      event.button ||
      event.metaKey ||
      event.ctrlKey ||
      event.shiftKey
    ) {
      return;
    }
    event.preventDefault();
    go(href);
  };
  return <a href={href} onClick={follow} {...rest} />;
}

/** A download that looks like a button. */
export function DownloadLink({
  href,
  kind = "plain",
  className,
  children,
  ...rest
}: AnchorHTMLAttributes<HTMLAnchorElement> & { href: string; kind?: keyof typeof KINDS }) {
  return (
    <a href={href} download className={classes(SHAPE, KINDS[kind], className)} {...rest}>
      <Icon name="download" />
      {children}
    </a>
  );
}

/** How far something is. */
export function Bar({
  share,
  label,
  className,
}: {
  share: number;
  label: string;
  className?: string;
}) {
  const percent = Math.round(Math.min(1, Math.max(0, share)) * 1000) / 10;
  return (
    <div
      role="progressbar"
      aria-label={label}
      aria-valuenow={Math.round(percent)}
      aria-valuemin={0}
      aria-valuemax={100}
      className={classes("h-2 overflow-hidden rounded-full bg-lifted", className)}
    >
      <div
        className="h-full origin-left rounded-full bg-accent transition-transform duration-300 ease-linear"
        style={{ transform: `scaleX(${percent / 100})` }}
      />
    </div>
  );
}

/** Something is wrong, or worth knowing. */
export function Notice({
  kind = "warn",
  children,
  className,
}: {
  kind?: "warn" | "bad" | "calm";
  children: React.ReactNode;
  className?: string;
}) {
  const colour = { warn: "border-warn/60", bad: "border-bad/70", calm: "border-line" }[kind];
  return (
    <div
      role={kind === "bad" ? "alert" : undefined}
      className={classes(
        "rounded-xl border bg-raised px-4 py-3 text-[0.9375rem]",
        colour,
        className,
      )}
    >
      {children}
    </div>
  );
}
