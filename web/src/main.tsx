import { QueryClientProvider } from "@tanstack/react-query";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import "./index.css";
import { queries } from "./api/queries";
import { Studio } from "./studio";

createRoot(document.getElementById("studio")!).render(
  <StrictMode>
    <QueryClientProvider client={queries}>
      <Studio />
    </QueryClientProvider>
  </StrictMode>,
);
