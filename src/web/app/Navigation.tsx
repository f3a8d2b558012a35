// The pages that there are, for whoever may open them.

import { NavLink, Stack } from "@mantine/core";
import { Link, useLocation } from "@tanstack/react-router";
import { useRights } from "../api/session.ts";
import { PAGES } from "../pages/registry.ts";
import { NAV, SHELL } from "../strings/shell.ts";
import classes from "./Navigation.module.css";

export function Navigation() {
  const { pathname } = useLocation();
  const rights = useRights();
  return (
    <Stack component="nav" gap={4} aria-label={SHELL.navigation}>
      {PAGES.map(({ path, nav, isFor }) => {
        if (nav === undefined || (isFor !== undefined && !isFor(rights))) return null;
        const Icon = nav.icon;
        const isHere = path === "/" ? pathname === "/" : pathname === path || pathname.startsWith(`${path}/`);
        return (
          <NavLink
            key={path}
            component={Link}
            to={path}
            label={NAV[nav.label]}
            leftSection={<Icon size={20} stroke={1.7} aria-hidden />}
            active={isHere}
            aria-current={isHere ? "page" : undefined}
            className={classes.link}
          />
        );
      })}
    </Stack>
  );
}
