//! Lists: which part of one is asked for, and the headers that say what part is given.

use form_urlencoded::Serializer;
use utoipa::IntoParams;
use utoipa::openapi::path::{Parameter, ParameterIn};

use crate::dialects::placeos::limits;
use crate::dialects::placeos::rest::Query;
use crate::dialects::placeos::rest::query::{BadParameter, Kind, parameter};

/// Which part of a list is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Listing {
    limit: usize,
    offset: usize,
}

/// One part of a list, or the whole of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// The items, a bare array on the wire.
    pub items: Vec<T>,
    /// How many there are in all parts together.
    pub total: usize,
    listing: Listing,
}

/// The values of the headers that go with a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageHeaders {
    /// `X-Total-Count`.
    pub total_count: String,
    /// `Content-Range`.
    pub content_range: String,
    /// `Link`, while there is more.
    pub link: Option<String>,
}

impl Listing {
    /// Reads `limit` (100 unless it is given, cut to 10 000) and `offset`.
    pub fn read(query: &Query<'_>) -> Result<Self, BadParameter> {
        let limit = query.whole_number("limit")?.unwrap_or(limits::PAGE_DEFAULT);
        Ok(Self {
            limit: limit.min(limits::PAGE_MAX),
            offset: query.whole_number("offset")?.unwrap_or(0),
        })
    }

    /// Takes this part of what there is, and counts the whole.
    pub fn page<T>(self, all: impl IntoIterator<Item = T>) -> Page<T> {
        let mut all = all.into_iter();
        let skipped = all.by_ref().take(self.offset).count();
        let items: Vec<T> = all.by_ref().take(self.limit).collect();
        let total = skipped + items.len() + all.count();
        Page {
            items,
            total,
            listing: self,
        }
    }
}

impl IntoParams for Listing {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        vec![
            parameter(
                "limit",
                Kind::WholeNumber,
                "How many at most: 100 unless it is given, never more than 10 000.",
            ),
            parameter("offset", Kind::WholeNumber, "How many to pass over."),
        ]
    }
}

impl<T> Page<T> {
    /// A list that is given whole, whatever part is asked for.
    pub fn whole(items: impl IntoIterator<Item = T>) -> Self {
        Listing {
            limit: usize::MAX,
            offset: 0,
        }
        .page(items)
    }

    /// The same part with other items in the place of these, one for one.
    #[must_use]
    pub fn with_items<U>(&self, items: Vec<U>) -> Page<U> {
        Page {
            items,
            total: self.total,
            listing: self.listing,
        }
    }

    /// The headers, for a kind of resource as PlaceOS names its tables (`sys`, `zone`, `mod`), at this path with this query.
    pub fn headers(&self, table: &str, path: &str, query: &Query<'_>) -> PageHeaders {
        let Listing { limit, offset } = self.listing;
        let end = offset.saturating_add(self.items.len());
        let more = !self.items.is_empty() && end < self.total;
        PageHeaders {
            total_count: self.total.to_string(),
            content_range: format!("{table} {offset}-{end}/{}", self.total),
            link: more.then(|| next_link(path, query, end, limit)),
        }
    }
}

/// Clients split this header at every comma and semicolon, so the URL has none.
fn next_link(path: &str, query: &Query<'_>, offset: usize, limit: usize) -> String {
    let path = path.replace(',', "%2C").replace(';', "%3B");
    let kept = query
        .pairs()
        .filter(|(name, _)| !["offset", "limit"].contains(name));
    let query = Serializer::new(String::new())
        .extend_pairs(kept)
        .append_pair("offset", &offset.to_string())
        .append_pair("limit", &limit.to_string())
        .finish();
    format!("<{path}?{query}>; rel=\"next\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(query: &str, of: usize) -> Page<usize> {
        Listing::read(&Query::parse(query)).unwrap().page(0..of)
    }

    fn headers(query: &str, of: usize) -> PageHeaders {
        page(query, of).headers("sys", "/api/engine/v2/systems", &Query::parse(query))
    }

    #[test]
    fn the_first_hundred_come_unasked_and_say_where_the_rest_is() {
        assert_eq!(page("", 250).items.len(), 100);
        let headers = headers("q=a%2Cb;c&zone_id=zone-1,zone-2&limit=100", 250);
        assert_eq!(headers.total_count, "250");
        assert_eq!(headers.content_range, "sys 0-100/250");
        let link = headers.link.unwrap();
        assert_eq!(
            link,
            "</api/engine/v2/systems?q=a%2Cb%3Bc&zone_id=zone-1%2Czone-2&offset=100&limit=100>; rel=\"next\""
        );
        assert_eq!(link.split([',', ';']).count(), 2);
    }

    #[test]
    fn following_the_link_gives_everything_once() {
        let mut query = "limit=100&q=x".to_owned();
        let mut items = Vec::new();
        loop {
            items.extend(page(&query, 250).items);
            let Some(link) = headers(&query, 250).link else {
                break;
            };
            query = link
                .split_once('?')
                .and_then(|(_, rest)| rest.split_once('>'))
                .map(|(query, _)| query.to_owned())
                .unwrap();
        }
        assert_eq!(items, (0..250).collect::<Vec<_>>());
    }

    #[test]
    fn the_last_part_has_no_link() {
        let headers = headers("offset=200", 250);
        assert_eq!(headers.content_range, "sys 200-250/250");
        assert_eq!(headers.link, None);
    }

    #[test]
    fn a_part_beyond_the_end_or_of_nothing_is_empty() {
        let beyond = page("offset=300", 250);
        assert_eq!((beyond.items.len(), beyond.total), (0, 250));
        assert_eq!(page("limit=0", 250).total, 250);
        assert_eq!(headers("limit=0", 250).link, None);
        assert_eq!(page("limit=1000000", 20_000).items.len(), 10_000);
    }

    #[test]
    fn a_limit_that_is_no_number_is_named() {
        let wrong = Listing::read(&Query::parse("limit=-1")).unwrap_err();
        assert_eq!(wrong.parameter, "limit");
    }
}
