# Freezes what R's survival and cmprsk compute for the data sets below, as reference.json beside this file.
#   Rscript make_reference.R      (Debian: r-base-core r-cran-survival r-cran-cmprsk r-cran-jsonlite)
# Times are rounded so that the JSON holds them exactly; results carry 15 significant digits.
suppressPackageStartupMessages({library(survival); library(cmprsk); library(jsonlite)})

simulated <- function(seed, n, rate, censoring, digits) {
  set.seed(seed)
  arm <- rep(0:1, length.out = n)
  event_time <- rexp(n, rate * ifelse(arm == 1, 0.7, 1))
  censored_at <- runif(n, censoring[1], censoring[2])
  status <- as.integer(event_time <= censored_at)
  data.frame(time = round(pmin(event_time, censored_at), digits), status = status, arm = arm,
             cause = status * sample(1:2, n, TRUE, c(.7, .3)), covariate = round(rnorm(n, 3 - arm, 2), 2))
}

small <- simulated(1, 12, 1 / 30, c(20, 90), 4)
tied <- simulated(2, 60, 1 / 12, c(6, 48), 0)
heavy_censoring <- simulated(3, 100, 1 / 200, c(5, 40), 3)
no_events <- simulated(4, 20, 1e-9, c(5, 40), 2)
large <- simulated(5, 1000, 1 / 40, c(24, 120), 2)
all_die <- simulated(6, 40, 1 / 20, c(1e6, 1e6), 3)
emptied_arm <- simulated(7, 80, 1 / 30, c(10, 100), 2)
gone <- emptied_arm$arm == 1 & emptied_arm$time > 25
emptied_arm$time[gone] <- 25
emptied_arm$status[gone] <- emptied_arm$cause[gone] <- 0
delayed <- simulated(8, 119, 1 / 45, c(85, 147), 1)
late <- delayed$arm == 1 & delayed$time > 30
delayed$time[late] <- pmin(round(30 + 3 * (delayed$time[late] - 30), 1), 140)
set.seed(9)
veterans <- with(veteran, data.frame(time, status, arm = trt - 1, covariate = karno,
                                     cause = status * sample(1:2, nrow(veteran), TRUE)))

transforms <- c("log-log", "plain", "log", "logit", "arcsin")
some <- function(x) x[unique(round(seq(1, length(x), length.out = min(40, length(x)))))]

quantiles <- function(fit) {
  q <- quantile(fit, c(.25, .5))
  lapply(q, unname)
}

curve <- function(time, status) {
  fit <- survfit(Surv(time, status) ~ 1)
  at <- some(fit$time)
  index <- match(at, fit$time)
  limits <- lapply(setNames(transforms, transforms), function(kind) {
    f <- survfit(Surv(time, status) ~ 1, conf.type = kind)
    list(lower = f$lower[index], upper = f$upper[index], quantiles = quantiles(f))
  })
  reverse <- survfit(Surv(time, 1 - status) ~ 1, conf.type = "log-log")
  list(time = at, at_risk = fit$n.risk[index], events = fit$n.event[index], survival = fit$surv[index],
       variance = (fit$surv * fit$std.err)[index]^2, cumulative_hazard = fit$cumhaz[index],
       cumulative_hazard_variance = fit$std.chaz[index]^2, limits = limits, follow_up = quantiles(reverse))
}

restricted_mean <- function(time, status, horizon) {
  table <- summary(survfit(Surv(time, status) ~ 1), rmean = horizon)$table
  unname(c(table["rmean"], table["se(rmean)"]))
}

# coxph halves its steps once rounding hides the rise of the likelihood, some 1e-8 short of the peak: two more
# Newton steps from its own score and variance.
polished <- function(formula, data, ties) {
  environment(formula) <- environment()
  first <- fit <- coxph(formula, data, ties = ties)
  if (vcov(fit)[1, 1] < 1e4) for (k in 1:2) {
    peak <- coef(fit) + sum(residuals(fit, "schoenfeld")) * vcov(fit)[1, 1]
    fit <- coxph(formula, data, ties = ties, init = peak, control = coxph.control(iter.max = 0))
  }
  list(first = first, fit = fit)
}

cox <- function(formula, data, ties) {
  both <- polished(formula, data, ties)
  fit <- both$fit
  limits <- summary(fit)$conf.int
  coefficient <- unname(coef(fit))
  se <- unname(sqrt(vcov(fit)[1, 1]))
  list(coefficient = coefficient, se = se, lower = limits[3], upper = limits[4], wald = (coefficient / se)^2,
       score = both$first$score, likelihood_ratio = 2 * (fit$loglik[2] - both$first$loglik[1]),
       proportional_hazards = lapply(c(km = "km", identity = "identity", log = "log", rank = "rank"),
                                     function(g) if (g == "log" && any(data$time == 0)) NA
                                                 else cox.zph(fit, g)$table[1, "chisq"]))
}

by_period <- function(data, cuts, ties) {
  data$end <- data$time
  split <- survSplit(Surv(end, status) ~ ., data, cut = cuts, episode = "period", start = "begin", zero = -1)
  lapply(seq_len(length(cuts) + 1), function(k) {
    fit <- polished(Surv(begin, end, status) ~ arm, split[split$period == k, ], ties)$fit
    list(coefficient = unname(coef(fit)), se = unname(sqrt(vcov(fit)[1, 1])))
  })
}

# survival has no G(rho, gamma) and no modest weights: the formulas, time by time, on survfit's own tables.
weighted <- function(data, weight) {
  pooled <- survfit(Surv(time, status) ~ 1, data)
  one <- subset(data, arm == 1)
  score <- variance <- 0
  for (i in which(pooled$n.event > 0)) {
    t <- pooled$time[i]; y <- pooled$n.risk[i]; d <- pooled$n.event[i]
    y1 <- sum(one$time >= t); d1 <- sum(one$time == t & one$status == 1)
    w <- weight(if (i == 1) 1 else pooled$surv[i - 1], pooled)
    score <- score + w * (d1 - d * y1 / y)
    if (y > 1) variance <- variance + w^2 * d * y1 * (y - y1) * (y - d) / (y^2 * (y - 1))
  }
  c(score, variance)
}

incidence <- function(fit, name, time) {
  at <- some(sort(unique(time)))
  points <- timepoints(fit[name], at)
  list(time = at, estimate = unname(points$est[1, ]), variance = unname(points$var[1, ]))
}

competing <- function(data) {
  fit <- with(data, cuminc(time, cause, arm))
  pooled <- with(data, cuminc(time, cause))
  list(pooled = incidence(pooled, "1 1", data$time),
       arm0 = incidence(fit, "0 1", data$time[data$arm == 0]),
       arm1 = incidence(fit, "1 1", data$time[data$arm == 1]),
       gray = lapply(1:2, function(k) unname(fit$Tests[k, c("stat", "pv")])))
}

reference <- function(data) {
  horizon <- round(0.8 * min(tapply(data$time, data$arm, max)), 1)
  arms <- split(data, data$arm)
  result <- list(data = as.list(data), horizon = horizon, pooled = curve(data$time, data$status),
                 arm0 = with(arms[["0"]], curve(time, status)), arm1 = with(arms[["1"]], curve(time, status)),
                 rmst = lapply(unname(arms), function(d) restricted_mean(d$time, d$status, horizon)),
                 milestone = lapply(unname(arms), function(d) {
                   s <- summary(survfit(Surv(time, status) ~ 1, d), times = horizon)
                   c(s$surv, s$std.err)
                 }))
  if (sum(data$status) > 0) {
    cuts <- round(quantile(data$time[data$status == 1], c(.4, .75)), 2)
    chisq <- function(rho) survdiff(Surv(time, status) ~ arm, data, rho = rho)$chisq
    delay <- round(median(data$time), 1)
    result <- c(result, list(
      logrank = c(chisq(0), chisq(0.5), chisq(1)),
      fleming_harrington = list("0,1" = weighted(data, function(s, p) 1 - s),
                                "1,1" = weighted(data, function(s, p) s * (1 - s)),
                                "0.5,2" = weighted(data, function(s, p) s^.5 * (1 - s)^2)),
      delay = delay,
      modest = weighted(data, function(s, p) 1 / max(s, summary(p, times = delay)$surv)),
      cox = lapply(c(efron = "efron", breslow = "breslow"), function(ties) list(
        arm = cox(Surv(time, status) ~ arm, data, ties),
        covariate = cox(Surv(time, status) ~ covariate, data, ties))),
      cuts = unname(cuts),
      periods = lapply(c(efron = "efron", breslow = "breslow"), function(ties) by_period(data, cuts, ties)),
      competing = competing(data)))
  }
  result
}

sets <- list(small = small, tied = tied, heavy_censoring = heavy_censoring, no_events = no_events,
             large = large, all_die = all_die, emptied_arm = emptied_arm, delayed = delayed, veterans = veterans)
versions <- list(R = R.version.string, survival = as.character(packageVersion("survival")),
                 cmprsk = as.character(packageVersion("cmprsk")))
write_json(list(versions = versions, sets = lapply(sets, reference)), "reference.json",
           digits = NA, na = "null", auto_unbox = TRUE)
