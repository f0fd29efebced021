/** Who one is, where the server wants to know. */
import { useMutation } from "@tanstack/react-query";
import { type FormEvent, useId } from "react";
import { api, body } from "../api/client";
import { queries } from "../api/queries";
import { Button, Notice } from "../ui/controls";

export function SignInPage() {
  const [name, password] = [useId(), useId()];
  const enter = useMutation({
    mutationFn: (form: FormData) =>
      body(
        api.POST("/api/v1/session", {
          body: { name: String(form.get("name")), password: String(form.get("password")) },
        }),
      ),
    onSuccess: () => queries.resetQueries(),
  });
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    enter.mutate(new FormData(event.currentTarget));
  };
  return (
    <section aria-labelledby="sign-in" className="mx-auto max-w-md py-16">
      <title>Sign in · Unbraid</title>
      <h1 id="sign-in" className="text-4xl font-bold tracking-[-0.03em]">
        Sign in
      </h1>
      <form className="panel mt-6 grid gap-4 p-6" onSubmit={submit}>
        <label htmlFor={name} className="grid gap-1.5">
          Name
          <input id={name} name="name" className="field" autoComplete="username" required />
        </label>
        <label htmlFor={password} className="grid gap-1.5">
          Password
          <input
            id={password}
            name="password"
            type="password"
            className="field"
            autoComplete="current-password"
            required
          />
        </label>
        {enter.error && <Notice kind="bad">{enter.error.message}</Notice>}
        <Button kind="main" type="submit" disabled={enter.isPending}>
          Sign in
        </Button>
        <p className="text-sm text-quiet">
          Accounts are made by whoever runs this server: <code>unbraid users add</code>.
        </p>
      </form>
    </section>
  );
}
