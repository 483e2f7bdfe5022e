toDateTime(multiIf(
        {to:DateTime64(3, 'UTC')} - INTERVAL 2 YEAR > {from:DateTime64(3, 'UTC')}, toStartOfMonth(cohort_day),
        {to:DateTime64(3, 'UTC')} - INTERVAL 62 DAY > {from:DateTime64(3, 'UTC')}, toMonday(cohort_day),
        cohort_day), 'UTC')
