//! The apps whose connections an edit closes.
//!
//! Separate from the API keys, whose ring compares what each opens: an app is let in by a key that is no secret, so what counts is what it was when it was let in.

use std::collections::HashSet;

use crate::core::directory::{Directory, Touched};
use crate::model::{AppId, AppKey, ChannelApp, UserId};

/// The apps that are gone, have lost a key or its secret, or act for another user than before or for one who may do less.
pub(super) fn weakened(before: &Directory, after: &Directory, touched: &Touched) -> Vec<AppId> {
    let users: HashSet<&UserId> = touched.users().collect();
    let acts_for_one = |app: &&ChannelApp| {
        let user = app.user.as_ref();
        user.is_some_and(|user| users.contains(user))
    };
    let of_users = before.apps().filter(acts_for_one).map(|app| &app.id);
    let touched: HashSet<&AppId> = touched.apps().chain(of_users).collect();
    let is_weaker = |id: &&AppId| {
        let app = before.app(id);
        app.is_some_and(|app| is_weaker(before, app, after))
    };
    touched.into_iter().filter(is_weaker).cloned().collect()
}

fn is_weaker(before: &Directory, was: &ChannelApp, after: &Directory) -> bool {
    let Some(is) = after.app(&was.id) else {
        return true;
    };
    let is_kept = |key: &AppKey| is.keys.list().contains(key);
    let level = |directory: &Directory, app: &ChannelApp| {
        let user = directory.user(app.user.as_ref()?)?;
        Some(user.level)
    };
    was.user != is.user
        || !was.keys.list().iter().all(is_kept)
        || level(after, is) < level(before, was)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::tests::doubles::{app, directory, user};
    use crate::model::{Building, Clearance, EntryId};

    /// A building of the user at this level, if there is one, and of the app, if there is one.
    fn building(level: Option<Clearance>, app: Option<ChannelApp>) -> Directory {
        directory(Building {
            users: level.map(user).into_iter().collect(),
            apps: app.into_iter().collect(),
            ..Building::default()
        })
    }

    #[track_caller]
    fn check(before: &Directory, after: &Directory, touched: &[EntryId], is_closed: bool) {
        let touched = touched.iter().cloned().collect();
        let closed = weakened(before, after, &touched);
        assert_eq!(closed.len() == 1, is_closed, "{closed:?}");
    }

    fn with(keys: &[(&str, &str)], change: impl FnOnce(&mut ChannelApp)) -> Option<ChannelApp> {
        let mut app = app("4201", keys);
        change(&mut app);
        Some(app)
    }

    fn of_user(app: &mut ChannelApp) {
        app.user = Some(user(Clearance::User).id);
    }

    fn the_app() -> EntryId {
        EntryId::App(AppId::new("4201").unwrap())
    }

    #[test]
    fn an_app_that_has_lost_something_is_closed() {
        let level = Some(Clearance::Support);
        let two = [("a", "s"), ("b", "t")];
        let before = building(level, with(&two, of_user));
        let touched = [the_app()];
        for after in [
            None,
            with(&[("a", "s")], of_user),
            with(&[("a", "s"), ("b", "other")], of_user),
            with(&two, |_| {}),
        ] {
            check(&before, &building(level, after), &touched, true);
        }
    }

    #[test]
    fn an_app_that_has_lost_nothing_stays() {
        let level = Some(Clearance::Support);
        let before = building(level, with(&[("a", "s")], of_user));
        let touched = [the_app()];
        check(&before, &before, &touched, false);
        let more = with(&[("new", "t"), ("a", "s")], |app| {
            of_user(app);
            app.name = "Signs".to_owned();
            app.client_events = true;
        });
        check(&before, &building(level, more), &touched, false);
        check(&Directory::default(), &before, &touched, false);
    }

    #[test]
    fn an_app_is_closed_when_its_user_may_do_less() {
        let user_id = user(Clearance::User).id;
        let touched = [EntryId::User(user_id)];
        let of = |level| building(level, with(&[], of_user));
        let before = of(Some(Clearance::Support));
        check(&before, &of(Some(Clearance::User)), &touched, true);
        check(&before, &of(Some(Clearance::Admin)), &touched, false);
        let without = building(None, with(&[], |_| {}));
        check(&before, &without, &[the_app()], true);
        let of_nobody = |level| building(Some(level), with(&[], |_| {}));
        let (high, low) = (of_nobody(Clearance::Admin), of_nobody(Clearance::User));
        check(&high, &low, &touched, false);
    }
}
