//! Dates as they stand in files: year first.
//!
//! In: `2024-03-31`, `2024/03/31`, `2024-03-31T18:00:05.5Z`, `2024-03`. Out: their numbers, in the calendar of Gregory
//! before its time as well.

use super::spec::DatePart;

/// A moment.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Date {
    year: u32,
    month: u32,
    day: u32,
    hour: u32,
    minute: u32,
}

/// Reads a date; none when it is not one.
pub(super) fn parse(cell: &str) -> Option<Date> {
    let bytes = cell.as_bytes();
    let number = |at: usize, count: usize| {
        let part = bytes.get(at..at + count).filter(|part| part.iter().all(u8::is_ascii_digit))?;
        Some(part.iter().fold(0, |number, digit| 10 * number + u32::from(digit - b'0')))
    };
    let separator = *bytes.get(4).filter(|byte| matches!(byte, b'-' | b'/'))?;
    let (year, month) = (number(0, 4)?, number(5, 2)?);
    let mut date = Date { year, month, day: 1, hour: 0, minute: 0 };
    if bytes.len() > 7 {
        date.day = number(8, 2).filter(|_| bytes[7] == separator)?;
    }
    if bytes.len() > 10 {
        let rest = cell.get(11..).filter(|_| matches!(bytes[10], b' ' | b'T'))?;
        let rest = rest.strip_suffix('Z').unwrap_or(rest);
        let fits = rest.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b':' | b'.'));
        (date.hour, date.minute) = (number(11, 2)?, number(14, 2).filter(|_| fits && bytes.get(13) == Some(&b':'))?);
    }
    let real = (1..=12).contains(&month) && (1..=days(year, month)).contains(&date.day);
    (real && date.hour < 24 && date.minute < 60).then_some(date)
}

impl Date {
    /// One of its numbers.
    pub fn part(self, part: DatePart) -> u32 {
        match part {
            DatePart::Year => self.year,
            DatePart::Month => self.month,
            DatePart::Day => self.day,
            // The first of January of the year 1 was a Monday.
            DatePart::Weekday => (self.days_before_year() + self.yearday() - 1) % 7,
            DatePart::Yearday => self.yearday(),
            DatePart::Hour => self.hour,
            DatePart::Minute => self.minute,
        }
    }

    fn yearday(self) -> u32 {
        (1..self.month).map(|month| days(self.year, month)).sum::<u32>() + self.day
    }

    /// From the first of January of the year 1. The year 0 counts as 400, which begins on the same weekday.
    fn days_before_year(self) -> u32 {
        let year = if self.year == 0 { 399 } else { self.year - 1 };
        365 * year + year / 4 - year / 100 + year / 400
    }
}

fn days(year: u32, month: u32) -> u32 {
    let is_leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    match month {
        2 => 28 + u32::from(is_leap),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Days whose weekday is known from history.
    #[test]
    fn weekdays_are_those_of_the_calendar() {
        for (date, weekday, yearday) in [
            ("1969-07-20", 6, 201),
            ("2000-02-29", 1, 60),
            ("2024-12-31", 1, 366),
            ("1900-03-01", 3, 60),
            ("2026-11-25 22:37", 2, 329),
        ] {
            let date = parse(date).expect("a date");
            assert_eq!((date.part(DatePart::Weekday), date.part(DatePart::Yearday)), (weekday, yearday), "{date:?}");
        }
    }

    #[test]
    fn dates_are_written_year_first() {
        for date in ["2024-03-31", "2024/03/31", "2024-03", "2024-03-31 18:00", "2024-03-31T18:00:05.5Z"] {
            assert!(parse(date).is_some(), "{date}");
        }
        for other in ["", "31.3.2024", "03/31/2024", "2024", "2024-3-31", "2024-03-31+02:00", "2024-03/31", "2024-03-"]
        {
            assert_eq!(parse(other), None, "{other}");
        }
    }

    #[test]
    fn what_no_calendar_has_is_no_date() {
        for text in
            ["2023-02-29", "2024-13-01", "2024-00-01", "2024-01-32", "2024-01-01 24:00", "2024-01/01", "1.1.2024"]
        {
            assert_eq!(parse(text), None, "{text}");
        }
        let date = parse("2024-03-31T18:05:09.5Z").expect("a date");
        assert_eq!((date.part(DatePart::Hour), date.part(DatePart::Minute)), (18, 5));
    }
}
