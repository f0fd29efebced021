/** The studio: what stands around every view, and which view it is. */
import { useQuery } from "@tanstack/react-query";
import { useEffect } from "react";
import { useStore } from "zustand";
import { api, body, Gone, Refusal } from "./api/client";
import { meQuery, queries } from "./api/queries";
import { BringPage } from "./features/bring/page";
import { JobPage } from "./features/job/page";
import { BatchPage } from "./features/library/batch_page";
import { NowherePage } from "./features/nowhere";
import { SignInPage } from "./features/sign_in";
import { type Route, routeOf, usePath } from "./route";
import { live } from "./state/live";
import { themeNow, useLook } from "./state/look";
import { IconButton, Link } from "./ui/controls";
import { Guard } from "./ui/guard";
import { Icon, Mark } from "./ui/icons";

const RENEW_MS = 300_000;

export function Studio() {
  const route = routeOf(usePath());
  const me = useQuery(meQuery);
  const stranger = me.error instanceof Refusal && me.error.status === 401;
  useRenewal(me.data?.mode === "server" && !stranger);
  return (
    <div className="flex min-h-dvh flex-col">
      <a
        href="#main"
        className="sr-only focus:not-sr-only focus:fixed focus:left-4 focus:top-3 focus:z-50 focus:rounded-full focus:bg-accent focus:px-4 focus:py-2 focus:text-on-accent"
      >
        Skip to the content
      </a>
      <Header
        home={route.view === "home"}
        account={me.data?.mode === "server" && !stranger ? me.data.name : undefined}
      />
      <ServerGone />
      <main id="main" className="mx-auto w-full max-w-7xl flex-1 px-4 pb-20 sm:px-6 lg:px-8">
        <Guard key={JSON.stringify(route)}>
          {stranger && route.view !== "nowhere" ? <SignInPage /> : <View route={route} />}
        </Guard>
      </main>
      <footer className="mx-auto w-full max-w-7xl px-4 pb-8 text-sm text-quiet sm:px-6 lg:px-8">
        Your recordings stay on this server.{" "}
        <a className="underline" href="/docs">
          API
        </a>
      </footer>
    </div>
  );
}

/** Keeps a session while the page is open. */
function useRenewal(signedIn: boolean) {
  useEffect(() => {
    if (!signedIn) return;
    const renew = () => api.POST("/api/v1/session/renew").catch(() => queries.resetQueries());
    const timer = setInterval(renew, RENEW_MS);
    return () => clearInterval(timer);
  }, [signedIn]);
}

function View({ route }: { route: Route }) {
  if (route.view === "home") return <BringPage />;
  if (route.view === "job") return <JobPage key={route.id} id={route.id} />;
  if (route.view === "batch") return <BatchPage key={route.id} id={route.id} />;
  return <NowherePage />;
}

function Header({ home, account }: { home: boolean; account: string | undefined }) {
  useLook((look) => look.chosen); // painted anew when it changes
  const theme = themeNow();
  const other = theme === "dark" ? "light" : "dark";
  return (
    <header className="mx-auto flex w-full max-w-7xl items-center gap-3 px-4 py-4 sm:px-6 lg:px-8">
      <Link
        href="/"
        className="flex items-center gap-2.5 rounded-lg text-xl font-semibold tracking-tight"
      >
        <Mark />
        unbraid
      </Link>
      <nav aria-label="Studio" className="ml-auto flex items-center gap-1">
        {!home && (
          <Link
            href="/"
            className="flex min-h-9 items-center gap-1 rounded-full px-3 text-[0.9375rem] text-quiet hover:bg-lifted hover:text-text"
          >
            <Icon name="back" /> Library
          </Link>
        )}
        {account && (
          <button
            type="button"
            className="min-h-9 rounded-full px-3 text-[0.9375rem] text-quiet hover:bg-lifted hover:text-text"
            onClick={async () => {
              await api.DELETE("/api/v1/session");
              await queries.resetQueries();
            }}
          >
            Sign out {account}
          </button>
        )}
        <IconButton
          icon={theme === "dark" ? "sun" : "moon"}
          label={`Use the ${other} theme`}
          onClick={() => useLook.getState().choose(other)}
        />
      </nav>
    </header>
  );
}

/** Says that the server is gone, and asks for it until it is back. */
function ServerGone() {
  const lostAt = useStore(live, (state) => state.lostAt);
  const health = useQuery({
    queryKey: ["health"],
    queryFn: ({ signal }) => body(api.GET("/health", { signal })),
    refetchInterval: ({ state }) => (state.error || state.dataUpdatedAt < lostAt ? 1_500 : 20_000),
    retry: false,
    networkMode: "always",
  });
  if (!(health.error instanceof Gone) && health.dataUpdatedAt >= lostAt) return null;
  return (
    <div
      role="status"
      className="sticky top-0 z-40 bg-warn px-4 py-2 text-center text-[0.9375rem] font-medium text-ground"
    >
      The server does not answer. What was done is kept; this page goes on when it is back.
    </div>
  );
}
